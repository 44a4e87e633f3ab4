//! Record batches: the lists of their rows, to the last bit, and reading interactions.

use std::sync::Arc;

use arrow_array::builder::{Float64Builder, ListBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int32Type};
use arrow_array::{
    ArrayRef, DictionaryArray, Float32Array, Int64Array, LargeStringArray, RecordBatch,
    StringArray, TimestampMillisecondArray,
};
use bspm::data::{ItemColumn, ItemTable, TableOptions};
use bspm::{
    BspmConfig, CpuBackend, CpuModel, Dataset, Error, FilterConfig, Preset, RecommendOptions,
    UnknownIds,
};
use bspm_arrow::{FromArrow, RecommendBatch, long_form};

fn model(config: impl Into<FilterConfig>) -> CpuModel {
    let pairs = (0..300_u32).flat_map(|user| {
        (0..12_u32).map(move |place| {
            let item = (user % 7 * 20 + place * place * (user % 11 + 1)) % 140;
            (format!("u{user}"), format!("i{item}"))
        })
    });
    let dataset: Dataset = Dataset::from_pairs(pairs).unwrap();
    CpuModel::fit(CpuBackend::new(), dataset, config).unwrap()
}

fn bspm() -> CpuModel {
    model(
        BspmConfig::builder()
            .ideal_low_pass(16, 0.3)
            .build()
            .unwrap(),
    )
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// Lists of text; `None` gives a null.
fn lists(rows: &[Option<&[&str]>]) -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for row in rows {
        for item in row.unwrap_or_default() {
            builder.values().append_value(item);
        }
        builder.append(row.is_some());
    }
    Arc::new(builder.finish())
}

fn numbers(rows: &[Option<&[f64]>]) -> ArrayRef {
    let mut builder = ListBuilder::new(Float64Builder::new());
    for row in rows {
        builder.values().append_slice(row.unwrap_or_default());
        builder.append(row.is_some());
    }
    Arc::new(builder.finish())
}

fn batch<const N: usize>(columns: [(&str, ArrayRef); N]) -> RecordBatch {
    let columns = columns.map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

/// Items and scores of each row.
fn entries(lists: &RecordBatch) -> Vec<Vec<(String, f32)>> {
    let column = |name| lists.column_by_name(name).unwrap().as_list::<i32>();
    let rows = column("items").iter().zip(column("scores").iter());
    rows.map(|(items, scores)| {
        let (items, scores) = (items.unwrap(), scores.unwrap());
        let items = items.as_string::<i32>().iter();
        let scores = scores.as_primitive::<Float32Type>().values().iter();
        items
            .zip(scores)
            .map(|(item, &score)| (item.unwrap().to_owned(), score))
            .collect()
    })
    .collect()
}

#[test]
fn lists_are_the_same_bit_for_bit_however_rows_are_cut() {
    for config in [
        FilterConfig::from(
            BspmConfig::builder()
                .ideal_low_pass(16, 0.3)
                .build()
                .unwrap(),
        ),
        FilterConfig::published("turbo-cf", Preset::Gowalla).unwrap(),
        FilterConfig::published("rp3beta", Preset::Gowalla).unwrap(),
    ] {
        let model = model(config);
        let users: Vec<&str> = model.dataset().users().iter().map(String::as_str).collect();
        let whole = batch([("user", texts(&users))]);
        let expected = entries(&model.recommend_batch(&whole, 12).unwrap());
        for size in [1, 7, 64, 65, 129] {
            let mut found = Vec::new();
            for start in (0..users.len()).step_by(size) {
                let part = whole.slice(start, size.min(users.len() - start));
                found.extend(entries(&model.recommend_batch(&part, 12).unwrap()));
            }
            assert!(
                found == expected,
                "{}, {size} rows",
                model.filter().config().name()
            );
        }
        let many = model.recommend_many(users.iter().copied(), 12).unwrap();
        for (list, expected) in many.iter().zip(&expected) {
            let list: Vec<(String, f32)> = list
                .iter()
                .map(|entry| (entry.item.clone(), entry.score))
                .collect();
            assert!(list == *expected);
        }
    }
}

#[test]
fn each_row_has_its_own_history_and_lists() {
    let model = bspm();
    let own: Vec<&str> = {
        let user = model.dataset().users().index("u3").unwrap();
        let items = model.dataset().interactions().items_of(user).iter();
        items
            .map(|&item| model.dataset().items().id(item).unwrap().as_str())
            .collect()
    };
    let best: Vec<String> = entries(
        &model
            .recommend_batch(&batch([("user", texts(&["u3"]))]), 5)
            .unwrap(),
    )[0]
    .iter()
    .map(|entry| entry.0.clone())
    .collect();
    let (first, second) = (best[0].as_str(), best[1].as_str());
    let rows = batch([
        (
            "request",
            Arc::new(Int64Array::from(vec![10, 11, 12, 13, 14])) as ArrayRef,
        ),
        ("user", texts(&["u3", "nobody", "u3", "u3", "u3"])),
        (
            "history",
            lists(&[None, Some(&own), Some(&["i1", "i2"]), None, None]),
        ),
        (
            "weights",
            numbers(&[None, None, Some(&[2.0, -1.0]), None, None]),
        ),
        ("deny", lists(&[None, None, None, Some(&[first]), None])),
        (
            "allow",
            lists(&[None, None, None, None, Some(&[second, first])]),
        ),
    ]);
    let found = model.recommend_batch(&rows, 5).unwrap();
    let names: Vec<_> = found
        .schema()
        .fields()
        .iter()
        .map(|it| it.name().clone())
        .collect();
    assert_eq!(names, ["request", "user", "items", "scores"]);
    let found = entries(&found);
    assert_eq!(found[0], found[1], "a user's items are the user");
    let weighted = model
        .recommend_for_history([("i1", 2.0), ("i2", -1.0)], 5)
        .unwrap();
    for (entry, expected) in found[2].iter().zip(&weighted) {
        assert_eq!(entry.0, expected.item);
        assert!((entry.1 - expected.score).abs() < 1e-5);
    }
    assert_eq!(found[3][..4], found[0][1..]);
    assert_eq!(found[4], found[0][..2]);
}

#[test]
fn each_row_has_its_own_condition() {
    let plain = bspm();
    let items: Vec<String> = plain.dataset().items().iter().cloned().collect();
    let prices = (0..items.len()).map(|item| (item % 10) as f64);
    let columns = vec![
        ItemColumn::texts("title", items.iter().map(String::as_str)),
        ItemColumn::numbers("price", prices),
    ];
    let table = ItemTable::new(items.iter().cloned().collect(), "title", columns).unwrap();
    let dataset = plain.dataset().clone().with_items(table).unwrap();
    let model = CpuModel::fit(CpuBackend::new(), dataset, plain.filter().config().clone()).unwrap();
    let is_cheap = |item: &str, most: usize| {
        let column = items.iter().position(|it| it == item).unwrap();
        column % 10 < most
    };

    let every = |condition: Option<&str>| {
        let options = RecommendOptions::top(140);
        let rows = batch([
            ("user", texts(&["u3"])),
            (
                "where",
                Arc::new(StringArray::from(vec![condition])) as ArrayRef,
            ),
        ]);
        entries(&model.recommend_batch(&rows, options).unwrap()).remove(0)
    };
    let all = every(None);
    assert!(all.iter().any(|(item, _)| !is_cheap(item, 5)));
    let cheap = |most: usize| -> Vec<(String, f32)> {
        let kept = all.iter().filter(|(item, _)| is_cheap(item, most));
        kept.cloned().collect()
    };
    assert_eq!(every(Some("price < 5")), cheap(5));

    // Equal conditions, one with a list of allowed items, one that no item satisfies.
    let (first, last) = (all[0].0.as_str(), all[all.len() - 1].0.as_str());
    let conditions = [
        Some("price < 5"),
        None,
        Some("price < 5"),
        Some("price < 0"),
        Some("price < 2"),
    ];
    let rows = batch([
        ("user", texts(&["u3"; 5])),
        (
            "where",
            Arc::new(StringArray::from(conditions.to_vec())) as ArrayRef,
        ),
        (
            "allow",
            lists(&[None, None, Some(&[first, last]), None, None]),
        ),
        ("kept", texts(&["a", "b", "c", "d", "e"])),
    ]);
    let found = model
        .recommend_batch(&rows, RecommendOptions::top(140))
        .unwrap();
    assert!(found.column_by_name("kept").is_some());
    assert!(found.column_by_name("where").is_none());
    let found = entries(&found);
    let mut both = cheap(5);
    both.retain(|(item, _)| item == first || item == last);
    assert_eq!(found, [cheap(5), all.clone(), both, Vec::new(), cheap(2)]);

    for (condition, expected) in [
        (
            "colour = 'red'",
            "column \"where\", row 1: expected one of the columns title, price, found \"colour\"",
        ),
        (
            "price <",
            "column \"where\", row 1: expected a condition such as",
        ),
    ] {
        let rows = batch([
            ("user", texts(&["u3", "u4"])),
            ("where", texts(&["price < 5", condition])),
        ]);
        let error = model.recommend_batch(&rows, 5).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let rows = batch([("user", texts(&["u3"])), ("where", texts(&["price < 5"]))]);
    let error = plain.recommend_batch(&rows, 5).unwrap_err().to_string();
    assert!(error.contains("a data set with an item table"), "{error}");
}

#[test]
fn the_long_form_has_a_row_for_each_entry() {
    let model = bspm();
    let rows = batch([("user", texts(&["u1", "u2"]))]);
    let options = RecommendOptions::top(3);
    let lists = model.recommend_batch(&rows, options).unwrap().slice(1, 1);
    let long = long_form(&lists).unwrap();
    assert_eq!(long.num_rows(), 3);
    let column = |name| long.column_by_name(name).unwrap();
    assert_eq!(
        column("rank").as_primitive::<Int32Type>().values(),
        &[1, 2, 3]
    );
    assert!(
        column("user")
            .as_string::<i32>()
            .iter()
            .all(|it| it == Some("u2"))
    );
    let expected: Vec<String> = entries(&lists)[0].iter().map(|it| it.0.clone()).collect();
    let items: Vec<_> = column("item").as_string::<i32>().iter().flatten().collect();
    assert_eq!(items, expected);
}

#[test]
fn ids_come_in_every_type_that_holds_them() {
    let model = bspm();
    let plain = entries(
        &model
            .recommend_batch(&batch([("user", texts(&["u7", "u8"]))]), 4)
            .unwrap(),
    );
    let large = Arc::new(LargeStringArray::from(vec!["u7", "u8"])) as ArrayRef;
    let dictionary: DictionaryArray<Int32Type> = ["u7", "u8"].into_iter().collect();
    for column in [large, Arc::new(dictionary)] {
        let rows = batch([("user", column)]);
        assert_eq!(entries(&model.recommend_batch(&rows, 4).unwrap()), plain);
    }
    let pairs = [("1", "10"), ("1", "20"), ("2", "20"), ("2", "30")];
    let dataset: Dataset = Dataset::from_pairs(pairs.map(|(u, i)| (u.into(), i.into()))).unwrap();
    let config = BspmConfig::builder()
        .ideal_low_pass(1, 0.3)
        .build()
        .unwrap();
    let model = CpuModel::fit(CpuBackend::new(), dataset, config).unwrap();
    let rows = batch([("user", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef)]);
    assert_eq!(entries(&model.recommend_batch(&rows, 4).unwrap()).len(), 2);
}

#[test]
fn what_is_wrong_is_said_with_column_and_row() {
    let model = bspm();
    let numbers_column = || Arc::new(Float32Array::from(vec![1.0, 2.0])) as ArrayRef;
    let nested = {
        let mut builder = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
        builder.append(true);
        builder.append(true);
        Arc::new(builder.finish()) as ArrayRef
    };
    let with_null = Arc::new(StringArray::from(vec![Some("u1"), None])) as ArrayRef;
    let history = || lists(&[Some(&["i1"]), Some(&["i2", "i3"])]);
    let cases = [
        (
            batch([("else", numbers_column())]),
            "column \"user\": expected a column \"user\" or \"history\", found neither",
        ),
        (
            batch([("user", numbers_column())]),
            "column \"user\", row 0: expected a user of the model, found 1.0",
        ),
        (
            batch([("user", with_null)]),
            "column \"user\", row 1: expected a user or a history, found null",
        ),
        (
            batch([("user", texts(&["u1", "zoe"]))]),
            "column \"user\", row 1: expected a user of the model, found zoe",
        ),
        (
            batch([("history", texts(&["i1", "i2"]))]),
            "column \"history\": expected lists, found a column of Utf8",
        ),
        (
            batch([("history", nested)]),
            "column \"history\": expected ids that are text or whole numbers, found a column of List",
        ),
        (
            batch([("history", lists(&[Some(&[]), Some(&["i1", "tea"])]))]),
            "column \"history\", row 1: expected items of the model, found tea",
        ),
        (
            batch([
                ("history", history()),
                ("weights", numbers(&[None, Some(&[1.0])])),
            ]),
            "column \"weights\", row 1: expected 2 weights, one for each item of \"history\", found 1",
        ),
        (
            batch([
                ("history", history()),
                ("weights", numbers(&[Some(&[f64::NAN]), None])),
            ]),
            "column \"weights\", row 0: expected finite numbers, found NaN",
        ),
        (
            batch([
                ("user", texts(&["u1", "u2"])),
                ("items", texts(&["a", "b"])),
            ]),
            "column \"items\": expected no other column with this name, found two columns; hint: rename",
        ),
        (
            batch([("user", texts(&["u1", "u2"])), ("user", texts(&["a", "b"]))]),
            "column \"user\": expected one column with this name, found two columns",
        ),
    ];
    for (batch, expected) in cases {
        let error = model.recommend_batch(&batch, 3).unwrap_err();
        assert!(matches!(error, Error::InvalidColumn { .. }), "{error:?}");
        assert!(
            error.to_string().starts_with(expected),
            "{error}\n{expected}"
        );
    }
    let skip = RecommendOptions::top(3).unknown_ids(UnknownIds::Skip);
    let unknown = batch([
        ("user", texts(&["zoe", "u1"])),
        ("history", lists(&[None, Some(&["tea", "i1"])])),
    ]);
    let found = entries(&model.recommend_batch(&unknown, skip).unwrap());
    assert_eq!((found[0].len(), found[1].len()), (0, 3));
    let none = RecordBatch::new_empty(unknown.schema());
    assert_eq!(model.recommend_batch(&none, 3).unwrap().num_rows(), 0);
}

#[test]
fn interactions_are_read_from_batches() {
    let times = TimestampMillisecondArray::from(vec![1_500, 2_500, 500]);
    let rows = batch([
        ("who", Arc::new(Int64Array::from(vec![7, 7, 9])) as ArrayRef),
        ("what", texts(&["tea", "milk", "tea"])),
        (
            "plays",
            Arc::new(Int64Array::from(vec![3, 1, 2])) as ArrayRef,
        ),
        ("at", Arc::new(times) as ArrayRef),
    ]);
    let options = TableOptions::new("who", "what").weight("plays").time("at");
    let read = |batch: &RecordBatch, options: &TableOptions| {
        Dataset::<i64, String>::from_batches([Ok(batch.clone())], options)
    };
    let dataset = read(&rows, &options).unwrap();
    assert_eq!(dataset.interactions().weights().unwrap(), [3.0, 1.0, 2.0]);
    assert_eq!(dataset.times().unwrap(), [1.5, 2.5, 0.5]);
    let missing = TableOptions::new("who", "which");
    let error = read(&rows, &missing).unwrap_err().to_string();
    assert_eq!(
        error,
        "column \"which\": expected a column with this name, found who, what, plays, at"
    );
    let negative = batch([
        ("who", Arc::new(Int64Array::from(vec![7])) as ArrayRef),
        ("what", texts(&["tea"])),
        ("plays", Arc::new(Int64Array::from(vec![-1])) as ArrayRef),
    ]);
    let options = TableOptions::new("who", "what").weight("plays");
    let error = read(&negative, &options).unwrap_err().to_string();
    assert_eq!(
        error,
        "column \"plays\", row 0: expected a finite number, 0 or above, found -1"
    );
    let null = batch([
        (
            "who",
            Arc::new(Int64Array::from(vec![Some(7), None])) as ArrayRef,
        ),
        ("what", texts(&["tea", "milk"])),
    ]);
    let error = read(&null, &TableOptions::new("who", "what"))
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "column \"who\", row 1: expected a user id, found null"
    );
    let batches = [rows.clone(), null].map(Ok);
    let options = TableOptions::new("who", "what");
    let error = Dataset::<i64, String>::from_batches(batches, &options).unwrap_err();
    assert!(error.to_string().contains("\"who\", row 4"), "{error}");
}
