//! Malformed files and configurations: each returns an error with the reason and the place.

use bspm::data::{SyntheticShape, TrainTest};
use bspm::filters::{BspmConfigBuilder, Integration, LgcnIde, Neighbours};
use bspm::fitted::RankOptions;
use bspm::{BspmConfig, CpuBackend, Evaluator, FittedFilter, Interactions, Merge, Preset, Solver};

/// Content of `train.txt`, and the error with the folder cut off.
const FILES: &[(&[u8], &str)] = &[
    (
        b"",
        "train.txt: expected at least one interaction, found none",
    ),
    (
        b"\n\r\n\n",
        "train.txt: expected at least one interaction, found none",
    ),
    (
        b"0\n1\n",
        "train.txt: expected at least one interaction, found none",
    ),
    (
        b"user item\n",
        "train.txt:1:1: expected a user id (0 to 134217727), found \"user\"",
    ),
    (
        b"0 1 2\n1 x\n",
        "train.txt:2:3: expected an item id (0 to 134217727), found \"x\"",
    ),
    (
        b"0 1\n1 2,3\n",
        "train.txt:2:3: expected an item id (0 to 134217727), found \"2,3\"",
    ),
    (
        b"0 -1\n",
        "train.txt:1:3: expected an item id (0 to 134217727), found \"-1\"",
    ),
    (
        b"0 +1\n",
        "train.txt:1:3: expected an item id (0 to 134217727), found \"+1\"",
    ),
    (
        b"0 1.0\n",
        "train.txt:1:3: expected an item id (0 to 134217727), found \"1.0\"",
    ),
    (
        b"0 134217728\n",
        "train.txt:1:3: expected an item id (0 to 134217727), found \"134217728\"",
    ),
    (
        b"99999999999999999999999 1\n",
        "train.txt:1:1: expected a user id (0 to 134217727), found \"99999999999999999999999\"",
    ),
    (
        b"0 1\n\n\n  7\t\xff\xfe\n",
        "train.txt:4:5: expected an item id (0 to 134217727), found \"\u{fffd}\u{fffd}\"",
    ),
    (
        b"0 1\0 2\n",
        "train.txt:1:3: expected an item id (0 to 134217727), found \"1\\0\"",
    ),
    (
        "0 ١\n".as_bytes(),
        "train.txt:1:3: expected an item id (0 to 134217727), found \"١\"",
    ),
];

#[test]
fn every_malformed_file_is_named_with_line_column_and_text() {
    for (content, expected) in FILES {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("train.txt"), content).unwrap();
        std::fs::write(directory.path().join("test.txt"), "0 1\n").unwrap();
        let error = TrainTest::from_lightgcn_directory(directory.path()).unwrap_err();
        let folder = format!(
            "{}{}",
            directory.path().display(),
            std::path::MAIN_SEPARATOR
        );
        let message = error.to_string();
        assert_eq!(message.strip_prefix(&folder), Some(*expected), "{message}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("train.txt"), "0 1\n").unwrap();
    let error = TrainTest::from_lightgcn_directory(directory.path()).unwrap_err();
    let path = directory.path().join("test.txt");
    assert!(
        error
            .to_string()
            .starts_with(&format!("cannot read {}", path.display())),
        "{error}"
    );
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn every_malformed_configuration_is_named_with_parameter_and_range() {
    let builder = BspmConfig::builder;
    let cases: Vec<(BspmConfigBuilder, &str)> = vec![
        (
            builder().blur(Solver::Euler, 0.0, 1),
            "blur_time: expected a number above 0, at most 1000, found 0",
        ),
        (
            builder().blur(Solver::Euler, f32::NAN, 1),
            "blur_time: expected a number above 0, at most 1000, found NaN",
        ),
        (
            builder().blur(Solver::Rk4, 1.0, 0),
            "blur_steps: expected at least 1, found 0",
        ),
        (
            builder().sharpen(Solver::Rk4, f32::INFINITY, 1),
            "sharpen_time: expected a number above 0, at most 1000, found inf",
        ),
        (
            builder().sharpen(Solver::Rk4, -2.5, 1),
            "sharpen_time: expected a number above 0, at most 1000, found -2.5",
        ),
        (
            builder().sharpen(Solver::Rk4, 2.5, 10_001),
            "sharpen_steps: expected at most 1000, found 10001",
        ),
        (
            builder().ideal_low_pass(0, 0.2),
            "factor_dim: expected at least 1, found 0",
        ),
        (
            builder().ideal_low_pass(8, -0.1),
            "beta: expected a finite number, 0 or above, found -0.1",
        ),
        (
            builder().ideal_low_pass(8, f32::NAN),
            "beta: expected a finite number, 0 or above, found NaN",
        ),
        (
            builder().ideal_low_pass_integrated(8, 0.2, Integration::new(Solver::Euler, -1.0, 1)),
            "idl_time: expected a number above 0, at most 1000, found -1",
        ),
        (
            builder().ideal_low_pass_integrated(8, 0.2, Integration::new(Solver::Euler, 1.0, 0)),
            "idl_steps: expected at least 1, found 0",
        ),
    ];
    for (builder, expected) in cases {
        assert_eq!(builder.build().unwrap_err().to_string(), expected);
    }
    assert_eq!(
        "Gowalla".parse::<Preset>().unwrap_err().to_string(),
        "preset: expected gowalla, yelp2018, amazon-book, found \"Gowalla\""
    );
    assert_eq!(
        "RK4".parse::<Solver>().unwrap_err().to_string(),
        "solver: expected euler, rk4, dormand-prince or exact, the last two with a tolerance as \
         in exact:1e-6 if any, found \"RK4\""
    );
    assert_eq!(
        "EM".parse::<Merge>().unwrap_err().to_string(),
        "merge: expected early, late, found \"EM\""
    );
}

#[test]
fn impossible_requests_of_a_model_are_errors() {
    let interactions = Interactions::from_pairs(3, 5, [(0, 1), (1, 2), (2, 4)]).unwrap();
    let too_much = BspmConfig::builder()
        .ideal_low_pass(4, 0.2)
        .build()
        .unwrap();
    let backend = CpuBackend::new().with_memory_budget(300);
    let error = FittedFilter::fit(backend, interactions.clone(), too_much).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a truncated SVD of 5 items with 5 vectors needs 460 bytes of memory, but the memory budget \
         has 300 bytes left"
    );

    let table = Neighbours::new(LgcnIde::published(Preset::Gowalla).layers(1), 4);
    let backend = CpuBackend::new().with_memory_budget(300);
    let error = FittedFilter::fit(backend, interactions.clone(), table).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a neighbour table of 5 items with 4 entries each needs 320 bytes of memory, but the memory \
         budget has 300 bytes left"
    );

    let config = BspmConfig::builder().build().unwrap();
    let model = FittedFilter::fit(CpuBackend::new(), interactions, config).unwrap();
    for (users, options, expected) in [
        (
            vec![0, 3],
            RankOptions::top(1),
            "user 3 is not one of the 3 users (0 to 2)",
        ),
        (
            vec![0],
            RankOptions::top(0),
            "k: expected at least 1, found 0",
        ),
        (
            vec![0],
            RankOptions::top(1).batch_size(0),
            "batch_size: expected at least 1, found 0",
        ),
    ] {
        assert_eq!(
            model.rank(&users, &options).unwrap_err().to_string(),
            expected
        );
    }
    assert!(model.score(&[9]).is_err());
    assert!(Evaluator::new(&[0]).is_err());
    let shape = SyntheticShape {
        communities: 0,
        ..SyntheticShape::GOWALLA
    };
    assert_eq!(
        shape.generate(0).unwrap_err().to_string(),
        "communities: expected 1 to 40981, found 0"
    );
}
