//! Malicious files and settings: each returns an error with the reason, without delay.

use std::fs;
use std::io::{Cursor, Write};

use bspm::data::TrainTest;
use bspm::filters::{ChebyCf, LgcnIde};
use bspm::{BspmConfig, CpuBackend, CpuModel, Dataset, FilterConfig, FittedFilter, Preset};
use bspm_arrow::FromParquet;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A NumPy array with this header.
fn array(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16 + 1).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.push(b'\n');
    bytes.extend(data);
    bytes
}

fn header(dtype: &str, shape: &str) -> String {
    format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({shape}), }}")
}

/// The error of reading a valid archive in which one array is replaced.
fn read_with(name: &str, other: Vec<u8>) -> Result<Dataset<u32, u32>, String> {
    let numbers =
        |values: &[i32]| -> Vec<u8> { values.iter().flat_map(|it| it.to_le_bytes()).collect() };
    let mut arrays = vec![
        ("format", array(&header("|S3", ""), b"csr")),
        ("shape", array(&header("<i4", "2,"), &numbers(&[1, 2]))),
        ("indptr", array(&header("<i4", "2,"), &numbers(&[0, 1]))),
        ("indices", array(&header("<i4", "1,"), &numbers(&[1]))),
        ("data", array(&header("<i4", "1,"), &numbers(&[1]))),
    ];
    for (place, bytes) in &mut arrays {
        if *place == name {
            bytes.clone_from(&other);
        }
    }
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        zip.start_file(format!("{name}.npy"), SimpleFileOptions::default())
            .unwrap();
        zip.write_all(&bytes).unwrap();
    }
    let bytes = zip.finish().unwrap().into_inner();
    assert!(bytes.len() < 20_000);
    Dataset::parse_npz(Cursor::new(bytes), "m.npz", None).map_err(|error| error.to_string())
}

#[test]
fn an_array_is_as_long_as_its_bytes_whatever_its_header_says() {
    assert_eq!(read_with("nothing", Vec::new()).unwrap().len(), 1);
    let nested = format!("{{'descr': {}'<i4'{}, ", "[".repeat(200), "]".repeat(200));
    for (name, bytes, expected) in [
        (
            "indices",
            array(&nested, b""),
            "m.npz: expected an array \"indices\", found an invalid header of a NumPy array",
        ),
        (
            "indices",
            array(&header("<i4", "100000000000,"), &[0; 4]),
            "m.npz: expected indptr: 2 numbers, the last of which is 100000000000",
        ),
        (
            "data",
            array(&header("<f8", "4294967296, 4294967296, 4"), &[0; 8]),
            "m.npz: expected an array \"data\"",
        ),
        (
            "indptr",
            array(&header("|V0", "1000000000000,"), b""),
            "m.npz: expected an array \"indptr\"",
        ),
        (
            "format",
            array(&header("|S0", "1000000000000,"), b""),
            "m.npz: expected an array \"format\", found an invalid header of a NumPy array",
        ),
        (
            "indices",
            array(&header("<i4", "150000000,"), b""),
            "m.npz: expected indptr: 2 numbers, the last of which is 150000000",
        ),
        (
            "shape",
            b"\x93NUMPY\x03\x00\xff\xff\xff\xff".to_vec(),
            "m.npz: expected an array",
        ),
        (
            "shape",
            Vec::new(),
            "m.npz: expected an array \"shape\", found an invalid header",
        ),
    ] {
        let error = read_with(name, bytes).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn damaged_parquet_is_an_error_and_never_a_panic() {
    use bspm::data::TableOptions;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.parquet");
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let mut random = 1_u32;
    let mut draw = |below: usize| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) as usize % below
    };
    for codec in ["snappy", "zstd", "gzip"] {
        let whole = fs::read(data.join(format!("{codec}.parquet"))).unwrap();
        for _ in 0..1_500 {
            let mut altered = whole.clone();
            for _ in 0..=draw(3) {
                altered[draw(whole.len())] = draw(256) as u8;
            }
            fs::write(&path, &altered).unwrap();
            let options = TableOptions::new("user", "item");
            let read = Dataset::<String, String>::read_parquet(&path, &options);
            if let Err(error) = read {
                assert!(error.to_string().contains("damaged.parquet"), "{error}");
            }
        }
    }
}

#[test]
fn a_small_file_does_not_ask_for_a_large_matrix() {
    let folder = tempfile::tempdir().unwrap();
    for (train, expected) in [
        (
            "0 134217727",
            "consecutive item ids from 0, below 1048576 in a file of 1 interactions",
        ),
        (
            "20000000 0",
            "consecutive user ids from 0, below 1048576 in a file of 1 interactions",
        ),
    ] {
        fs::write(folder.path().join("train.txt"), train).unwrap();
        fs::write(folder.path().join("test.txt"), "0 0").unwrap();
        let error = TrainTest::from_lightgcn_directory(folder.path())
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
        let error = Dataset::read_lightgcn(folder.path().join("train.txt")).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn settings_have_an_upper_bound() {
    let dataset = Dataset::from_pairs([(1_u32, 1_u32), (1, 2), (2, 2)]).unwrap();
    let cheby = |order| FilterConfig::from(ChebyCf::published(Preset::Gowalla).order(order));
    for count in [10_001, 1_000_000_000_000, usize::MAX] {
        for (config, name) in [
            (
                FilterConfig::from(LgcnIde::published(Preset::Gowalla).layers(count)),
                "layers",
            ),
            (cheby(count), "order"),
        ] {
            let error =
                FittedFilter::fit(CpuBackend::new(), dataset.interactions().clone(), config)
                    .unwrap_err()
                    .to_string();
            assert!(
                error.starts_with(&format!("{name}: expected at most 10000, found")),
                "{error}"
            );
        }
    }
    for filter in ["family", "sgfcf"] {
        let mut config = FilterConfig::published(filter, Preset::Gowalla).unwrap();
        config.set("offset", "5e16").unwrap();
        let error = config.check().unwrap_err().to_string();
        assert!(error.starts_with("offset: expected"), "{error}");
    }
    for (name, text, expected) in [
        (
            "sharpen_time",
            "1e30",
            "sharpen_time: expected a number above 0, at most 1000",
        ),
        (
            "blur_time",
            "3.4e38",
            "blur_time: expected a number above 0, at most 1000",
        ),
        (
            "blur_steps",
            "18446744073709551615",
            "blur_steps: expected at most 1000",
        ),
    ] {
        let config = BspmConfig::builder().set(name, text).unwrap().build();
        let error = config.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn saving_keeps_links_and_modes_and_replaces_regular_files_alone() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = tempfile::tempdir().unwrap();
    let dataset = Dataset::from_pairs([(1_u32, 1_u32), (1, 2), (2, 2)]).unwrap();
    let config = BspmConfig::builder().build().unwrap();
    let model: CpuModel<u32, u32> = CpuModel::fit(CpuBackend::new(), dataset, config).unwrap();

    let target = folder.path().join("target.bspm");
    fs::write(&target, "before").unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
    let link = folder.path().join("link.bspm");
    symlink(&target, &link).unwrap();
    model.save(&link).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(
        fs::metadata(&target).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let opened: CpuModel<u32, u32> = CpuModel::open(CpuBackend::new(), &target).unwrap();
    assert_eq!(opened.dataset().len(), 3);

    let error = model.save("/dev/null").unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("expected a regular file"), "{source}");
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

/// Files that once aborted the program or made it panic.
#[test]
fn what_once_did_harm_is_an_error_now() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/hostile");
    let mut read = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(".npz") {
            let error = Dataset::read_npz(&path, None).unwrap_err().to_string();
            assert!(error.contains(&name), "{error}");
            read += 1;
        }
        if name.ends_with(".parquet") {
            let options = bspm::data::TableOptions::new("user", "item");
            match Dataset::<String, String>::read_parquet(&path, &options) {
                // The damaged bytes are not read.
                Ok(dataset) => assert!(!dataset.is_empty()),
                Err(error) => assert!(error.to_string().contains(&name), "{error}"),
            }
            read += 1;
        }
    }
    assert!(read >= 3, "{read} files");
}

/// Names and values of settings.
type Changes = &'static [(&'static str, &'static str)];

/// Filters with settings that make others unused: the settings to set, and those without effect with other values.
const UNUSED: [(&str, Changes, Changes); 6] = [
    ("gf-cf", &[("alpha", "0")], &[("factor_dim", "3")]),
    ("cheby-cf", &[("alpha", "0")], &[("factor_dim", "3")]),
    ("item-knn", &[], &[("alpha", "0.3"), ("beta", "0.3")]),
    (
        "family",
        &[("share", "0")],
        &[
            ("factor_dim", "3"),
            ("low_pass_history", "0.1"),
            ("low_pass_output", "0.1"),
            ("response", "power"),
            ("power", "3"),
        ],
    ),
    (
        "family",
        &[("share", "1"), ("response", "ideal")],
        &[
            ("history", "0.1"),
            ("output", "0.1"),
            ("curvature", "0.3"),
            ("power", "3"),
        ],
    ),
    (
        "bspm",
        &[("sharpen_time", "off"), ("factor_dim", "4"), ("beta", "0")],
        &[
            ("factor_dim", "3"),
            ("idl_time", "0.5"),
            ("idl_steps", "2"),
            ("idl_solver", "rk4"),
            ("merge", "late"),
        ],
    ),
];

#[test]
fn a_setting_that_is_refused_has_no_effect() {
    let pairs = (0..40_u32)
        .flat_map(|user| (0..6).map(move |step| (user, (user * step + step * step) % 19)));
    let dataset: Dataset<u32, u32> = Dataset::from_pairs(pairs).unwrap();
    let scores = |config: &FilterConfig| {
        let fitted = FittedFilter::fit(
            CpuBackend::new(),
            dataset.interactions().clone(),
            config.clone(),
        );
        let users: Vec<u32> = (0..dataset.users().len() as u32).collect();
        fitted.unwrap().score(&users).unwrap()
    };
    for (filter, settings, unused) in UNUSED {
        let mut config = FilterConfig::published(filter, Preset::Gowalla).unwrap();
        if config.settings().iter().any(|it| it.name == "factor_dim") {
            config.set("factor_dim", "4").unwrap();
        }
        for (name, value) in settings {
            config.set(name, value).unwrap();
        }
        let expected = scores(&config);
        for (name, value) in unused {
            let mut other = config.clone();
            other.set(name, value).unwrap();
            let error = other.check_used(&config).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{name}: expected ")), "{error}");
            // Exponents that cancel out change the rounding.
            let difference = (scores(&other) - &expected).mapv(f32::abs);
            assert!(difference.iter().all(|it| *it < 1e-4), "{filter} {name}");
        }
        config.check_used(&config).unwrap();
        if config.settings().iter().any(|it| it.name == "offset") {
            let mut other = config.clone();
            other.set("offset", "3").unwrap();
            other.check_used(&config).unwrap();
        }
    }
}
