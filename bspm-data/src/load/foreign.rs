//! Files that are not read, and how to convert them.

const SPREADSHEET: &str = "a spreadsheet; hint: export the sheet as CSV";
const ARROW: &str = "an Arrow file; hint: write it as Parquet or CSV";
const MATRIX_MARKET: &str = "a Matrix Market file; hint: convert it in Python with \
    scipy.sparse.save_npz('matrix.npz', scipy.io.mmread('matrix.mtx').tocsr())";

/// The start of a pointer of Git LFS.
pub(super) const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1";
/// Describes a pointer of Git LFS.
pub(super) const A_POINTER: &str =
    "a Git LFS pointer instead of the data; hint: run `git lfs pull` in the repository of the file";

/// Extensions of files, in lower case.
const EXTENSIONS: [(&[&str], &str); 6] = [
    (&["xlsx", "xls", "ods"], SPREADSHEET),
    (
        &["zip", "tar", "tgz", "7z", "rar"],
        "an archive; hint: unpack it",
    ),
    (
        &["bz2", "xz", "lz4", "lzma", "z"],
        "a compressed file that is neither gzip nor Zstandard; hint: decompress it",
    ),
    (&["feather", "arrow", "ipc"], ARROW),
    (&["mtx"], MATRIX_MARKET),
    (
        &[
            "pkl", "pickle", "h5", "hdf5", "orc", "avro", "mat", "rds", "db", "sqlite",
        ],
        "another file; hint: export the interactions as CSV or Parquet",
    ),
];

/// First bytes of files.
const STARTS: [(&[u8], &str); 11] = [
    (
        b"PK\x03\x04",
        "a zip archive or a spreadsheet; hint: unpack it, or export the sheet as CSV",
    ),
    (b"BZh", "a bzip2 file; hint: decompress it with bunzip2"),
    (b"\xfd7zXZ\0", "an xz file; hint: decompress it with unxz"),
    (b"7z\xbc\xaf", "a 7-Zip archive; hint: unpack it"),
    (b"PAR1", "a Parquet file; hint: set the format to parquet"),
    (POINTER, A_POINTER),
    (b"ARROW1", ARROW),
    (
        b"SQLite format 3\0",
        "an SQLite database; hint: export the table as CSV",
    ),
    (b"%%MatrixMarket", MATRIX_MARKET),
    (b"\xd0\xcf\x11\xe0", SPREADSHEET),
    (
        b"\xff\xfe\0\0",
        "UTF-32 text; hint: convert it to UTF-8, as in iconv -f UTF-32 -t UTF-8",
    ),
];

/// Describes a file with this extension.
pub(super) fn by_extension(extension: &str) -> Option<&'static str> {
    let found = EXTENSIONS
        .iter()
        .find(|(endings, _)| endings.contains(&extension));
    found.map(|it| it.1)
}

/// Describes a file that starts with these bytes.
pub(super) fn by_start(bytes: &[u8]) -> Option<&'static str> {
    let found = STARTS.iter().find(|(start, _)| bytes.starts_with(start));
    found.map(|it| it.1)
}

const PYTHON: &str = "the lines are dictionaries of Python; write each as JSON, as in Python: \
    json.dumps(ast.literal_eval(line))";
const BLOCKS: &str = "the lines look like the blocks of the Netflix Prize: an item and a colon, then a line for each \
    of its users; write the item into each line, as in \
    awk '/:$/ {item = $0; sub(\":\", \",\", item); next} {print item $0}', and use `columns=item,user,rating,time` \
    (the names in the order of the columns)";
const SVMLIGHT: &str = "the lines look like svmlight (libsvm): a label, then items with their weights; convert the \
    file in Python with scipy.sparse.save_npz('matrix.npz', sklearn.datasets.load_svmlight_file('FILE')[0])";

/// Says how to convert a text file with these first lines, if they have a known format that is not read.
pub(super) fn by_lines(lines: &[String]) -> Option<&'static str> {
    let (first, second) = (lines.first()?, lines.get(1)?);
    if ["{'", "{u'"].iter().any(|start| first.starts_with(start)) {
        return Some(PYTHON);
    }
    let is_number = |text: &str| text.parse::<f64>().is_ok();
    let is_header = |line: &str| line.trim_end().strip_suffix(':').is_some_and(is_number);
    if is_header(first) && second.contains(',') {
        return Some(BLOCKS);
    }
    let is_vector = |line: &String| {
        let mut fields = line.split_ascii_whitespace();
        let has_label = fields.next().is_some_and(is_number);
        let mut weights = fields.map(|field| field.split_once(':')).peekable();
        let has_weights = weights.peek().is_some();
        has_label
            && has_weights
            && weights.all(|it| it.is_some_and(|it| is_number(it.0) && is_number(it.1)))
    };
    lines.iter().all(is_vector).then_some(SVMLIGHT)
}
