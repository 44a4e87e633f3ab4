//! Saved models: a saved model can be opened, even if a later save is interrupted.
//!
//! If `BSPM_SAVE_LOOP` is set, this program saves models until it is killed. The test of killed saves runs
//! it in this mode.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

use bspm::data::SyntheticShape;
use bspm::saved::SavedModelInfo;
use bspm::{BspmConfig, CpuBackend, Dataset, Error, Interactions, Model, Recommendation, Solver};
use libtest_mimic::{Arguments, Failed, Trial};

type SmallModel = Model<CpuBackend, String, u64>;
type Test = fn() -> Result<(), Failed>;

const SAVE_LOOP: &str = "BSPM_SAVE_LOOP";

fn main() -> ExitCode {
    if let Some(folder) = env::var_os(SAVE_LOOP) {
        save_for_ever(Path::new(&folder));
    }
    let tests: [(&str, Test); 8] = [
        (
            "a_saved_model_is_opened_as_it_was",
            a_saved_model_is_opened_as_it_was,
        ),
        ("updates_are_saved", updates_are_saved),
        (
            "the_map_and_the_bytes_are_twins",
            the_map_and_the_bytes_are_twins,
        ),
        (
            "a_file_without_sharpened_vectors_is_opened",
            a_file_without_sharpened_vectors_is_opened,
        ),
        ("info_needs_no_types", info_needs_no_types),
        ("what_is_no_model_is_refused", what_is_no_model_is_refused),
        (
            "a_save_that_fails_leaves_what_was_there",
            a_save_that_fails_leaves_what_was_there,
        ),
        (
            "a_killed_save_leaves_a_whole_model",
            a_killed_save_leaves_a_whole_model,
        ),
    ];
    let trials = tests
        .into_iter()
        .map(|(name, test)| Trial::test(name, test))
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn fit(users: usize, seed: u64, factor_dim: usize) -> SmallModel {
    let shape = SyntheticShape {
        users,
        items: 2 * users,
        train: 12 * users,
        test: users,
        communities: 5,
    };
    let interactions: Interactions = shape.generate(seed).unwrap().train;
    let dataset = Dataset::from_interactions(
        (0..users).map(|row| format!("user {row}")).collect(),
        (0..interactions.items() as u64)
            .map(|column| column << 40)
            .collect(),
        interactions,
    );
    let config = BspmConfig::builder()
        .sharpen(Solver::Rk4, 2.5, 1)
        .ideal_low_pass(factor_dim, 0.2)
        .build()
        .unwrap();
    Model::fit(CpuBackend::new(), dataset.unwrap(), config).unwrap()
}

fn open(path: &Path) -> bspm::Result<SmallModel> {
    Model::open(CpuBackend::new(), path)
}

fn lists(model: &SmallModel) -> Vec<Vec<Recommendation<u64>>> {
    let users: Vec<String> = model.dataset().users().iter().take(5).cloned().collect();
    users
        .iter()
        .map(|user| model.recommend(user, 10).unwrap())
        .collect()
}

fn a_saved_model_is_opened_as_it_was() -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("m.bspm");
    // The matrix of 64 singular vectors is not copied, that of 40 is.
    for factor_dim in [64, 40] {
        let model = fit(200, 1, factor_dim);
        model.save(&path)?;
        let opened = open(&path)?;
        assert_eq!(lists(&opened), lists(&model));
        assert_eq!(opened.dataset(), model.dataset());
        assert_eq!(opened.filter().config(), model.filter().config());
        assert_eq!(
            opened.filter().singular_values(),
            model.filter().singular_values()
        );
        assert_eq!(opened.to_bytes()?, fs::read(&path)?);
        assert_eq!(
            fs::read_dir(directory.path())?.count(),
            1,
            "a file was left behind"
        );
    }
    // A model in use keeps its mapped file if the file is replaced.
    let opened = open(&path)?;
    let before = lists(&opened);
    fit(100, 2, 32).save(&path)?;
    assert_eq!(lists(&opened), before);
    Ok(())
}

fn updates_are_saved() -> Result<(), Failed> {
    let model = fit(100, 3, 32)
        .with_interactions([("user 1".to_owned(), 0), ("newcomer".to_owned(), 3 << 40)])?;
    let opened: SmallModel = Model::from_bytes(CpuBackend::new(), model.to_bytes()?)?;
    assert_eq!(opened.dataset(), model.dataset());
    assert_eq!(
        opened.filter().interactions(),
        model.filter().interactions()
    );
    assert_eq!(
        opened.recommend("newcomer", 5)?,
        model.recommend("newcomer", 5)?
    );

    let times = (0..model.dataset().len()).map(|place| place as f64 / 3.0);
    let dataset = model.dataset().clone().with_times(times.collect())?;
    let config = model.filter().config().clone();
    let timed = Model::fit(CpuBackend::new(), dataset, config)?;
    let timed = timed.with_interactions([("later".to_owned(), 3 << 40)])?;
    let opened: SmallModel = Model::from_bytes(CpuBackend::new(), timed.to_bytes()?)?;
    assert!(opened.dataset().times().is_some());
    assert_eq!(opened.dataset(), timed.dataset());
    Ok(())
}

fn the_map_and_the_bytes_are_twins() -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("m.bspm");
    fit(150, 4, 64).save(&path)?;
    let mapped = open(&path)?;
    let read: SmallModel = Model::from_bytes(CpuBackend::new(), fs::read(&path)?)?;
    assert_eq!(lists(&mapped), lists(&read));
    assert_eq!(mapped.to_bytes()?, read.to_bytes()?);
    Ok(())
}

/// Written by a version that did not store the vectors of early merge.
fn a_file_without_sharpened_vectors_is_opened() -> Result<(), Failed> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/early_merge.bspm");
    let model: Model<_, String, String> = Model::open(CpuBackend::new(), path)?;
    let again = model.refit()?;
    let items: Vec<&String> = model.dataset().items().iter().collect();
    for user in model.dataset().users().iter() {
        let scores = model.score(user, items.clone())?;
        assert!(scores.iter().any(|score| *score != 0.0));
        for (score, expected) in scores.iter().zip(again.score(user, items.clone())?) {
            assert!((score - expected).abs() < 1e-5, "{score} {expected}");
        }
    }
    Ok(())
}

fn info_needs_no_types() -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("m.bspm");
    let model = fit(100, 5, 32);
    model
        .with_interactions([("newcomer".to_owned(), 0)])?
        .save(&path)?;
    let info = SavedModelInfo::open(&path)?;
    assert_eq!(
        (info.user_ids.as_str(), info.item_ids.as_str()),
        ("string", "u64")
    );
    assert_eq!((info.users, info.items, info.factors), (101, 200, 32));
    assert_eq!(info.interactions, info.fitted_interactions + 1);
    assert_eq!(info.bytes as u64, fs::metadata(&path)?.len());
    assert_eq!(&info.config, model.filter().config());
    Ok(())
}

fn what_is_no_model_is_refused() -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("m.bspm");
    fit(100, 6, 32).save(&path)?;
    let Err(error) = Model::<_, u32, u64>::open(CpuBackend::new(), &path) else {
        return Err("ids of another kind were read".into());
    };
    let message = error.to_string();
    assert!(
        message.ends_with("expected users with ids of kind \"u32\", found \"string\""),
        "{message}"
    );

    let whole = fs::read(&path)?;
    for (bytes, expected) in [
        (
            &whole[..0],
            "expected a bspm model (a complete safetensors file), found ",
        ),
        (
            &whole[..whole.len() / 2],
            "expected a bspm model (a complete safetensors file), found ",
        ),
        (
            &whole[..whole.len() - 1],
            "expected a bspm model (a complete safetensors file), found ",
        ),
        (
            b"user,item\n1,2\n",
            "expected a bspm model (a complete safetensors file), found ",
        ),
    ] {
        fs::write(&path, bytes)?;
        let message = open(&path).err().ok_or("it was read")?.to_string();
        assert!(message.contains(expected), "{message}");
    }
    for path in [directory.path(), Path::new("/nowhere/m.bspm")] {
        let error = open(path).err().ok_or("it was read")?;
        assert!(matches!(error, Error::Read { .. }), "{error}");
    }
    Ok(())
}

fn a_save_that_fails_leaves_what_was_there() -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    let model = fit(100, 7, 32);
    let folder = directory.path().join("folder");
    fs::create_dir(&folder)?;
    fs::write(folder.join("kept"), "kept")?;
    for path in [
        folder.as_path(),
        Path::new("/nowhere/m.bspm"),
        Path::new("/"),
    ] {
        let error = model.save(path).err().ok_or("it was saved")?;
        assert!(matches!(error, Error::Write { .. }), "{error}");
    }
    assert_eq!(fs::read_to_string(folder.join("kept"))?, "kept");
    assert_eq!(
        fs::read_dir(directory.path())?.count(),
        1,
        "a file was left behind"
    );
    Ok(())
}

/// Two models of different sizes, and the path to which they are saved in turn.
struct SaveLoop {
    models: [PathBuf; 2],
    target: PathBuf,
}

impl SaveLoop {
    fn in_folder(folder: &Path) -> Self {
        Self {
            models: ["a.bspm", "b.bspm"].map(|name| folder.join(name)),
            target: folder.join("target").join("m.bspm"),
        }
    }
}

fn save_for_ever(folder: &Path) -> ! {
    let save_loop = SaveLoop::in_folder(folder);
    let models = save_loop.models.map(|path| open(&path).unwrap());
    loop {
        for model in &models {
            model.save(&save_loop.target).unwrap();
            println!("saved");
        }
    }
}

fn a_killed_save_leaves_a_whole_model() -> Result<(), Failed> {
    const KILLS: u64 = 120;
    let directory = tempfile::tempdir()?;
    let save_loop = SaveLoop::in_folder(directory.path());
    let folder = save_loop.target.parent().ok_or("a parent")?;
    fs::create_dir(folder)?;
    for (path, (users, factor_dim)) in save_loop.models.iter().zip([(900, 96), (500, 64)]) {
        fit(users, 8, factor_dim).save(path)?;
    }
    let whole = [
        fs::read(&save_loop.models[0])?,
        fs::read(&save_loop.models[1])?,
    ];
    let (mut unfinished, mut refused) = (0, 0);
    for kill in 0..KILLS {
        let mut child = Command::new(env::current_exe()?)
            .env(SAVE_LOOP, directory.path())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or("the output is piped")?;
        let mut lines = BufReader::new(output).lines();
        lines.next().ok_or("the child saves")??;
        // The times are distributed over the measured duration of a save.
        thread::sleep(Duration::from_micros(kill * 7919 % 12_000));
        child.kill()?;
        child.wait()?;

        assert!(whole.contains(&fs::read(&save_loop.target)?), "kill {kill}");
        open(&save_loop.target)?;
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path == save_loop.target {
                continue;
            }
            unfinished += 1;
            match open(&path) {
                Ok(_) => assert!(whole.contains(&fs::read(&path)?), "kill {kill}"),
                Err(_) => refused += 1,
            }
            fs::remove_file(path)?;
        }
    }
    println!("{KILLS} kills, {unfinished} unfinished files, {refused} of them refused");
    if refused == 0 {
        return Err("no save was killed halfway: the kills test nothing".into());
    }
    Ok(())
}
