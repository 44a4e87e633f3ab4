//! Reads and validates the bytes of a model file.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use twox_hash::XxHash3_128;

use super::file::hash_text;
use super::format::{
    FORMAT, FORMAT_WITH_WEIGHTS, HASH, HASH_BYTES, Header, HeaderFormat, METADATA_KEY,
    SavedModelInfo, TAGS, TIMES, TagsInfo,
};
use super::id::SavedId;
use crate::backend::SharedMatrix;
use crate::engine::basis::SINGULAR_VALUES;
use crate::engine::tensors::SavedTensors;
use crate::engine::truncated_svd::SvdReport;
use crate::filters::registry::FilterConfig;
use crate::fitted::trial::Trial;
use bspm_data::Decay;
use bspm_data::Ids;
use bspm_data::Interactions;
use bspm_data::ItemTable;
use bspm_data::WeightScale;
use bspm_data::parameter::shortened;
use bspm_data::{Error, Result};

/// The validated contents of a model file, without the filter.
pub(super) struct Parts<U: Eq + Hash, I: Eq + Hash> {
    pub(super) fitted: Interactions,
    pub(super) histories: Option<Interactions>,
    /// The times of the current interactions.
    pub(super) times: Option<Vec<f64>>,
    pub(super) users: Ids<U>,
    pub(super) items: Ids<I>,
    pub(super) item_table: Option<ItemTable<I>>,
    /// The names of the tags and their weight; the fitted matrix has their rows.
    pub(super) tags: Option<(Ids<String>, f32)>,
    pub(super) trials: Vec<Trial>,
    pub(super) weight_scale: Option<WeightScale>,
    pub(super) decay: Option<Decay>,
}

/// A file with a valid header and checksum.
pub(super) struct CheckedFile<'a> {
    pub(super) path: &'a Path,
    bytes: Arc<dyn AsRef<[u8]> + Send + Sync>,
    pub(super) header: Header,
    /// The type, the shape and the byte range of each tensor.
    tensors: HashMap<String, (Dtype, Vec<usize>, Range<usize>)>,
}

impl<'a> CheckedFile<'a> {
    pub(super) fn new(path: &'a Path, shared: Arc<dyn AsRef<[u8]> + Send + Sync>) -> Result<Self> {
        let bytes = (*shared).as_ref();
        let tensors = SafeTensors::deserialize(bytes)
            .map_err(|error| invalid(path, "a bspm model (a complete safetensors file)", error))?;
        let (_, metadata) = SafeTensors::read_metadata(bytes)
            .map_err(|error| invalid(path, "a bspm model (a complete safetensors file)", error))?;
        let text = metadata
            .metadata()
            .as_ref()
            .and_then(|entries| entries.get(METADATA_KEY))
            .ok_or_else(|| invalid(path, "a bspm model", "another safetensors file"))?;
        let HeaderFormat { format } =
            serde_json::from_str(text).map_err(|error| invalid(path, "a format version", error))?;
        if !(FORMAT..=FORMAT_WITH_WEIGHTS).contains(&format) {
            return Err(Error::ModelVersion {
                path: path.into(),
                found: format,
                supported: FORMAT_WITH_WEIGHTS,
            });
        }
        let hash = tensors
            .tensor(HASH)
            .map_err(|error| invalid(path, "a checksum", error))?;
        let hashed = bytes.len() - HASH_BYTES.min(bytes.len());
        if hash.data() != &bytes[hashed..]
            || hash.data() != XxHash3_128::oneshot(&bytes[..hashed]).to_le_bytes()
        {
            return Err(invalid(
                path,
                "a matching checksum",
                "a checksum mismatch: the file is damaged or was changed",
            ));
        }
        let header: Header =
            serde_json::from_str(text).map_err(|error| invalid(path, "a valid header", error))?;
        header
            .config
            .check()
            .map_err(|error| invalid(path, "a valid header", error))?;
        let tensors = tensors
            .iter()
            .map(|(name, tensor)| {
                let start = tensor.data().as_ptr() as usize - bytes.as_ptr() as usize;
                let place = start..start + tensor.data().len();
                (
                    name.to_owned(),
                    (tensor.dtype(), tensor.shape().to_vec(), place),
                )
            })
            .collect();
        Ok(Self {
            path,
            header,
            tensors,
            bytes: shared,
        })
    }

    pub(super) fn config(&self) -> &FilterConfig {
        &self.header.config
    }

    pub(super) fn read<U, I>(&self) -> Result<Parts<U, I>>
    where
        U: SavedId + Eq + Hash,
        I: SavedId + Eq + Hash + Clone,
    {
        let items = self.header.items;
        let (fitted, histories) = self.matrices()?;
        let user_count = histories.as_ref().unwrap_or(&fitted).users();
        let items = self.ids("items", &self.header.item_ids, items)?;
        Ok(Parts {
            users: self.ids("users", &self.header.user_ids, user_count)?,
            item_table: self.item_table(&items)?,
            tags: self.tags()?,
            trials: self.header.trials.clone(),
            weight_scale: self.weight_scale()?,
            decay: self.decay()?,
            items,
            times: self.times(histories.as_ref().unwrap_or(&fitted).len())?,
            fitted,
            histories,
        })
    }

    /// Reads and validates everything, like opening.
    pub(super) fn check<U, I>(&self) -> Result<()>
    where
        U: SavedId + Eq + Hash,
        I: SavedId + Eq + Hash + Clone,
    {
        self.read::<U, I>()?;
        for (name, (dtype, shape, _)) in &self.tensors {
            self.tensor(name, *dtype, shape.len())?;
        }
        Ok(())
    }

    pub(super) fn info(&self) -> Result<SavedModelInfo> {
        let (fitted, histories) = self.matrices()?;
        let histories = histories.as_ref().unwrap_or(&fitted);
        let factors = self.tensors.get(SINGULAR_VALUES);
        let bytes = (*self.bytes).as_ref();
        Ok(SavedModelInfo {
            format: self.header.format,
            bytes: bytes.len(),
            hash: hash_text(&bytes[bytes.len() - HASH_BYTES..]),
            user_ids: self.header.user_ids.clone(),
            item_ids: self.header.item_ids.clone(),
            users: histories.users(),
            items: self.header.items,
            fitted_interactions: fitted.of_users().len(),
            interactions: histories.len(),
            factors: factors.map_or(0, |(_, shape, _)| shape.iter().product()),
            svd: self.header.svd.clone(),
            config: self.header.config.clone(),
            item_table: self.item_table_info()?,
            tags: self.header.tags.as_ref().map(|tags| TagsInfo {
                tags: tags.rows,
                pairs: fitted.of_tags().len(),
                weight: tags.weight,
            }),
            trials: self.header.trials.clone(),
            weight_scale: self.header.weight_scale.clone(),
            half_life: self.header.decay.map(|decay| decay.half_life),
        })
    }

    fn weight_scale(&self) -> Result<Option<WeightScale>> {
        let Some(text) = &self.header.weight_scale else {
            return Ok(None);
        };
        let scale = text.parse().map(Some);
        scale.map_err(|_| self.invalid("a scale of weights", text.clone()))
    }

    fn decay(&self) -> Result<Option<Decay>> {
        let Some(decay) = self.header.decay else {
            return Ok(None);
        };
        let checked = Decay::new(decay.half_life, decay.reference_time).map(Some);
        checked.map_err(|_| {
            self.invalid(
                "a half-life above 0 and a finite time",
                format!("{decay:?}"),
            )
        })
    }

    /// Reads the fitted matrix, and the current interactions if they differ from it.
    fn matrices(&self) -> Result<(Interactions, Option<Interactions>)> {
        let items = self.header.items;
        let mut fitted = self.interactions("fitted", items)?;
        if let Some(tags) = &self.header.tags {
            let found = format!("{} tags, {} rows", tags.rows, fitted.users());
            let with_tags = fitted.whose_last_rows_are_tags(tags.rows);
            let expected = "fitted rows of which the last are tags";
            fitted = with_tags.ok_or_else(|| invalid(self.path, expected, found))?;
        }
        let histories = match self.tensors.contains_key("histories.row_ends") {
            true => Some(self.interactions("histories", items)?),
            false if fitted.tag_rows() > 0 => Some(fitted.of_users().into_owned()),
            false => None,
        };
        Ok((fitted, histories))
    }

    /// Returns the bytes, the byte range and the shape of a tensor with this type and number of dimensions.
    pub(super) fn tensor(
        &self,
        name: &str,
        dtype: Dtype,
        dimensions: usize,
    ) -> Result<(&[u8], Range<usize>, &[usize])> {
        let Some((found, shape, place)) = self.tensors.get(name) else {
            return Err(invalid(self.path, name, "no tensor with this name"));
        };
        if *found != dtype || shape.len() != dimensions {
            return Err(invalid(
                self.path,
                &format!("{name}: {dtype:?} in {dimensions} dimensions"),
                format!("{found:?} of shape {shape:?}"),
            ));
        }
        let bytes = &(*self.bytes).as_ref()[place.clone()];
        if dtype == Dtype::F32 && !all_finite(bytes) {
            let expected = format!("{name}: finite numbers");
            return Err(invalid(self.path, &expected, "a number that is not finite"));
        }
        Ok((bytes, place.clone(), shape))
    }

    pub(super) fn numbers<T: bytemuck::Pod>(&self, name: &str, dtype: Dtype) -> Result<Vec<T>> {
        Ok(bytemuck::pod_collect_to_vec(self.tensor(name, dtype, 1)?.0))
    }

    fn interactions(&self, name: &str, items: usize) -> Result<Interactions> {
        let row_ends = self.numbers(&format!("{name}.row_ends"), Dtype::U32)?;
        let columns = self.numbers(&format!("{name}.columns"), Dtype::U32)?;
        let weights = format!("{name}.weights");
        let weights = match self.tensors.contains_key(&weights) {
            true => Some(self.numbers(&weights, Dtype::F32)?),
            false => None,
        };
        Interactions::from_csr(items, row_ends, columns, weights).map_err(|found| {
            let expected = format!("{name}: rows with ascending columns below {items}");
            invalid(self.path, &expected, found)
        })
    }

    /// The names of the tags and their weight, if there are any.
    fn tags(&self) -> Result<Option<(Ids<String>, f32)>> {
        let Some(tags) = &self.header.tags else {
            return Ok(None);
        };
        let names = self.ids(TAGS, String::KIND, tags.rows)?;
        Ok(Some((names, tags.weight)))
    }

    /// Reads the times of this number of interactions, if the file has them.
    fn times(&self, count: usize) -> Result<Option<Vec<f64>>> {
        if !self.has(TIMES) {
            return Ok(None);
        }
        let times: Vec<f64> = self.numbers(TIMES, Dtype::F64)?;
        if times.len() != count || !times.iter().all(|time| time.is_finite()) {
            let expected = format!("{TIMES}: {count} finite numbers");
            return Err(invalid(self.path, &expected, "other values"));
        }
        Ok(Some(times))
    }

    pub(super) fn ids<T: SavedId + Eq + Hash>(
        &self,
        name: &str,
        kind: &str,
        count: usize,
    ) -> Result<Ids<T>> {
        if !T::accepts(kind) {
            return Err(invalid(
                self.path,
                &format!("{name} with ids of kind {:?}", T::KIND),
                format!("{kind:?}"),
            ));
        }
        let ends: Vec<u64> = self.numbers(&format!("{name}.id_ends"), Dtype::U64)?;
        let (bytes, ..) = self.tensor(&format!("{name}.ids"), Dtype::U8, 1)?;
        let expected = format!("{name}: {count} distinct ids of kind {kind:?}");
        let reads_all = ends.first() == Some(&0) && ends.last() == Some(&(bytes.len() as u64));
        let ids: Option<Ids<T>> = ends
            .windows(2)
            .map(|ends| T::read(kind, bytes.get(ends[0] as usize..ends[1] as usize)?))
            .collect();
        match ids {
            Some(ids) if reads_all && ids.len() == count && ends.len() == count + 1 => Ok(ids),
            Some(ids) => Err(invalid(self.path, &expected, format!("{} ids", ids.len()))),
            None => Err(invalid(self.path, &expected, "bytes that are not an id")),
        }
    }
}

impl SavedTensors for CheckedFile<'_> {
    fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    fn matrix(&self, name: &str) -> Result<SharedMatrix> {
        let (data, place, shape) = self.tensor(name, Dtype::F32, 2)?;
        SharedMatrix::new(self.bytes.clone(), place, shape[0], shape[1])
            .or_else(|| aligned_copy(data, shape[0], shape[1]))
            .ok_or_else(|| invalid(self.path, name, "a wrong number of values"))
    }

    fn floats(&self, name: &str) -> Result<Vec<f32>> {
        self.numbers(name, Dtype::F32)
    }

    fn indices(&self, name: &str) -> Result<Vec<u32>> {
        self.numbers(name, Dtype::U32)
    }

    fn svd_report(&self) -> Option<SvdReport> {
        self.header.svd.clone()
    }

    fn invalid(&self, expected: &str, found: String) -> Error {
        invalid(self.path, expected, found)
    }
}

/// Whether all little-endian `f32` are finite: no exponent has all bits set.
fn all_finite(bytes: &[u8]) -> bool {
    const EXPONENT: u32 = 0x7f80_0000;
    let (numbers, _) = bytes.as_chunks::<4>();
    // Blocks without branches, which the compiler vectorizes.
    numbers.chunks(4096).all(|block| {
        let infinite = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes) & EXPONENT == EXPONENT;
        !block.iter().fold(false, |any, bytes| any | infinite(bytes))
    })
}

/// Copies bytes that are not aligned for `f32`.
fn aligned_copy(data: &[u8], rows: usize, columns: usize) -> Option<SharedMatrix> {
    struct Copied(Vec<f32>);
    impl AsRef<[u8]> for Copied {
        fn as_ref(&self) -> &[u8] {
            bytemuck::cast_slice(&self.0)
        }
    }
    let copied = Arc::new(Copied(bytemuck::pod_collect_to_vec(data)));
    let place: Range<usize> = 0..data.len();
    SharedMatrix::new(copied, place, rows, columns)
}

pub(super) fn invalid(path: &Path, expected: &str, found: impl std::fmt::Display) -> Error {
    Error::InvalidFile {
        path: path.into(),
        expected: expected.into(),
        found: shortened(found.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::write::{Contents, FilterTensors, HostValues, write};
    use super::*;
    use crate::filters::{BspmConfig, Preset};

    const PATH: &str = "m.bspm";
    const BASIS: &str = "ideal_low_pass.basis";

    /// A model file of two users, three items and one factor.
    fn small_file() -> Vec<u8> {
        let config = BspmConfig::builder()
            .ideal_low_pass(1, 0.5)
            .build()
            .unwrap();
        let contents = Contents {
            config: &config.into(),
            svd: None,
            tensors: vec![
                FilterTensors {
                    name: BASIS.into(),
                    values: HostValues::of_matrix(ndarray::arr2(&[[1.0], [-2.0], [0.5]])),
                },
                FilterTensors {
                    name: SINGULAR_VALUES.into(),
                    values: HostValues::Floats(&[0.75]),
                },
            ],
            fitted: &Interactions::from_pairs(2, 3, [(0, 0), (0, 2), (1, 1)]).unwrap(),
            histories: Some(&Interactions::from_pairs(2, 3, [(0, 0), (0, 2), (1, 0)]).unwrap()),
            times: None,
            users: &["ann", "bé"].map(str::to_owned).into_iter().collect(),
            items: &[7_u32, 256, u32::MAX].into_iter().collect(),
            item_table: None,
            tags: None,
            trials: &[],
            weight_scale: None,
            decay: None,
        };
        let mut bytes = Vec::new();
        write(&contents, &mut bytes).unwrap();
        bytes
    }

    fn open(bytes: Vec<u8>) -> Result<Parts<String, u32>> {
        CheckedFile::new(Path::new(PATH), Arc::new(bytes))?.read()
    }

    fn refusal(bytes: Vec<u8>) -> String {
        match open(bytes) {
            Ok(_) => panic!("the file was read"),
            Err(error) => error.to_string(),
        }
    }

    /// Returns the file with a matching checksum.
    fn rehashed(mut bytes: Vec<u8>) -> Vec<u8> {
        let hashed = bytes.len() - HASH_BYTES;
        let hash = XxHash3_128::oneshot(&bytes[..hashed]);
        bytes[hashed..].copy_from_slice(&hash.to_le_bytes());
        bytes
    }

    fn replaced(from: &str, to: &str) -> Vec<u8> {
        assert_eq!(from.len(), to.len());
        let mut bytes = small_file();
        let place = bytes
            .windows(from.len())
            .position(|window| window == from.as_bytes())
            .expect("the text is in the header");
        bytes[place..place + to.len()].copy_from_slice(to.as_bytes());
        rehashed(bytes)
    }

    #[test]
    fn the_bytes_are_those_of_the_documented_format() {
        let header = concat!(
            r#"{"__metadata__":{"bspm":"{\"format\":1,\"config\":{\"bspm\":{"#,
            r#"\"blur\":{\"solver\":\"euler\",\"time\":1.0,\"steps\":1},"#,
            r#"\"ideal_low_pass\":{\"factor_dim\":1,\"beta\":0.5,"#,
            r#"\"integration\":{\"solver\":\"euler\",\"time\":1.0,\"steps\":1}},"#,
            r#"\"sharpening\":null,\"merge\":\"early\",\"t_point_combination\":false}},"#,
            r#"\"items\":3,\"user_ids\":\"string\",\"item_ids\":\"u32\"}"},"#,
            r#""ideal_low_pass.basis":{"dtype":"F32","shape":[3,1],"data_offsets":[0,12]},"#,
            r#""ideal_low_pass.singular_values":{"dtype":"F32","shape":[1],"data_offsets":[12,16]},"#,
            r#""fitted.row_ends":{"dtype":"U32","shape":[3],"data_offsets":[16,28]},"#,
            r#""fitted.columns":{"dtype":"U32","shape":[3],"data_offsets":[28,40]},"#,
            r#""histories.row_ends":{"dtype":"U32","shape":[3],"data_offsets":[40,52]},"#,
            r#""histories.columns":{"dtype":"U32","shape":[3],"data_offsets":[52,64]},"#,
            r#""users.id_ends":{"dtype":"U64","shape":[3],"data_offsets":[64,88]},"#,
            r#""items.id_ends":{"dtype":"U64","shape":[4],"data_offsets":[88,120]},"#,
            r#""users.ids":{"dtype":"U8","shape":[6],"data_offsets":[120,126]},"#,
            r#""items.ids":{"dtype":"U8","shape":[12],"data_offsets":[126,138]},"#,
            r#""xxh3_128":{"dtype":"U8","shape":[16],"data_offsets":[138,154]}}"#,
        );
        let mut expected = Vec::new();
        let padded = (8 + header.len()).next_multiple_of(64) - 8;
        expected.extend((padded as u64).to_le_bytes());
        expected.extend(format!("{header:padded$}").bytes());
        for number in [1.0_f32, -2.0, 0.5, 0.75] {
            expected.extend(number.to_le_bytes());
        }
        for number in [0, 2, 3, 0, 2, 1, 0, 2, 3, 0, 2, 0_u32] {
            expected.extend(number.to_le_bytes());
        }
        for number in [0, 3, 6, 0, 4, 8, 12_u64] {
            expected.extend(number.to_le_bytes());
        }
        expected.extend(b"annb\xc3\xa9");
        expected.extend(b"\x07\0\0\0\0\x01\0\0\xff\xff\xff\xff");
        expected.extend(HASH_OF_THE_SMALL_FILE);
        let found = small_file();
        assert_eq!(
            String::from_utf8_lossy(&found[8..8 + padded]),
            String::from_utf8_lossy(&expected[8..8 + padded])
        );
        assert_eq!(found, expected);
    }

    /// As the reference implementation of XXH3 gives it, least significant byte first.
    const HASH_OF_THE_SMALL_FILE: [u8; HASH_BYTES] = [
        253, 80, 149, 164, 2, 45, 188, 66, 193, 230, 202, 247, 233, 78, 168, 228,
    ];

    #[test]
    fn what_was_written_is_read() {
        let file = CheckedFile::new(Path::new(PATH), Arc::new(small_file())).unwrap();
        let FilterConfig::Bspm(config) = file.config() else {
            panic!("another filter was read")
        };
        assert_eq!(config.ideal_low_pass().unwrap().beta, 0.5);
        assert_eq!(file.matrix(BASIS).unwrap().values(), [1.0, -2.0, 0.5]);
        assert_eq!(file.floats(SINGULAR_VALUES).unwrap(), [0.75]);
        let parts = open(small_file()).unwrap();
        assert_eq!(parts.fitted.items_of(1), [1]);
        assert_eq!(parts.histories.unwrap().items_of(1), [0]);
        assert_eq!(parts.users.index("bé"), Some(1));
        assert_eq!(parts.items.index(&u32::MAX), Some(2));
    }

    #[test]
    fn every_truncation_and_every_altered_byte_is_refused() {
        let whole = small_file();
        for length in 0..whole.len() {
            open(whole[..length].to_vec())
                .err()
                .expect("a truncated file");
        }
        for place in 0..whole.len() {
            for change in [0x01, 0x20, 0x80] {
                let mut altered = whole.clone();
                altered[place] ^= change;
                open(altered).err().expect("an altered file");
            }
        }
        let mut longer = whole;
        longer.push(0);
        open(longer).err().expect("a longer file");
    }

    #[test]
    fn refusals_say_why() {
        for (bytes, expected) in [
            (
                small_file()[..700].to_vec(),
                "m.bspm: expected a bspm model (a complete safetensors file), found invalid header length",
            ),
            (
                replaced(r#"\"format\":1"#, r#"\"format\":3"#),
                "m.bspm: expected a model format up to 2, found format 3; hint: update bspm, or save the \
                 model with this version",
            ),
            (
                replaced(r#"\"user_ids\":\"string"#, r#"\"user_ids\":\"u64   "#),
                "m.bspm: expected users with ids of kind \"string\", found \"u64   \"",
            ),
            (
                replaced(r#"\"beta\":0.5"#, r#"\"beta\":-5 "#),
                "m.bspm: expected a valid header, found beta: expected a finite number",
            ),
            (
                replaced(r#"\"steps\":1"#, r#"\"steps\":0"#),
                "blur_steps: expected at least 1, found 0",
            ),
            (
                replaced(r#"\"items\":3"#, r#"\"items\":2"#),
                "m.bspm: expected fitted: rows with ascending columns below 2",
            ),
            (
                replaced(r#""bspm":"#, r#""bspn":"#),
                "m.bspm: expected a bspm model, found another safetensors file",
            ),
        ] {
            let message = refusal(bytes);
            assert!(message.contains(expected), "{message}");
        }
        let mut altered = small_file();
        let place = altered.len() - 40;
        altered[place] ^= 1;
        assert_eq!(
            refusal(altered),
            "m.bspm: expected a matching checksum, found a checksum mismatch: the file is damaged or \
             was changed"
        );
    }

    #[test]
    fn contradictions_under_a_right_hash_are_refused() {
        let whole = small_file();
        let data = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
        for (place, byte, expected) in [
            (16, 1, "fitted: rows with ascending columns below 3"),
            (20, 9, "fitted: rows with ascending columns below 3"),
            (28, 2, "fitted: rows with ascending columns below 3"),
            (32, 3, "fitted: rows with ascending columns below 3"),
            (64, 1, "users: 2 distinct ids of kind \"string\""),
            (72, 200, "users: 2 distinct ids of kind \"string\""),
            (80, 5, "users: 2 distinct ids of kind \"string\""),
            (96, 3, "items: 3 distinct ids of kind \"u32\""),
            (124, 0xff, "users: 2 distinct ids of kind \"string\""),
            (126, 0, "items: 3 distinct ids of kind \"u32\""),
        ] {
            let mut altered = whole.clone();
            assert_ne!(altered[data + place], byte);
            altered[data + place] = byte;
            if place == 126 {
                altered[data + 130..data + 134].fill(0);
                altered[data + 126..data + 130].fill(0);
            }
            let message = refusal(rehashed(altered));
            assert!(message.contains(expected), "{place}: {message}");
        }
    }

    #[test]
    fn numbers_that_are_not_finite_are_refused() {
        let whole = small_file();
        let data = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
        for (place, name) in [(4, BASIS), (12, SINGULAR_VALUES)] {
            for number in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let mut altered = whole.clone();
                altered[data + place..data + place + 4].copy_from_slice(&number.to_le_bytes());
                let bytes = Arc::new(rehashed(altered));
                let file = CheckedFile::new(Path::new(PATH), bytes).unwrap();
                let error = match name {
                    BASIS => file.matrix(name).err(),
                    _ => file.floats(name).err(),
                };
                let expected = format!(
                    "m.bspm: expected {name}: finite numbers, found a number that is not finite"
                );
                assert_eq!(error.unwrap().to_string(), expected);
            }
        }
    }

    #[test]
    fn a_basis_that_lies_askew_is_copied() {
        let whole = small_file();
        let data = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
        let copy = aligned_copy(&whole[data..data + 12], 3, 1).unwrap();
        assert_eq!(copy.values(), [1.0, -2.0, 0.5]);
        assert!(aligned_copy(&whole[data..data + 12], 2, 1).is_none());
    }

    /// A model file of one user and one item, without filter and updates.
    fn smallest_file(times: Option<&[f64]>) -> Vec<u8> {
        let ids: Ids<u32> = [5].into_iter().collect();
        let contents = Contents {
            config: &Preset::AmazonBook.config().into(),
            svd: None,
            tensors: Vec::new(),
            fitted: &Interactions::from_pairs(1, 1, [(0, 0)]).unwrap(),
            histories: None,
            times,
            users: &ids,
            items: &ids,
            item_table: None,
            tags: None,
            trials: &[],
            weight_scale: None,
            decay: None,
        };
        let mut bytes = Vec::new();
        write(&contents, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn times_are_finite_and_one_for_each_interaction() {
        let read = |times: &[f64]| {
            let bytes = Arc::new(smallest_file(Some(times)));
            let parts = CheckedFile::new(Path::new(PATH), bytes)?.read::<u32, u32>()?;
            Ok::<_, Error>(parts.times)
        };
        assert_eq!(read(&[2.5]).unwrap(), Some(vec![2.5]));
        for wrong in [&[f64::NAN][..], &[], &[1.0, 2.0]] {
            let error = read(wrong).unwrap_err().to_string();
            assert_eq!(
                error,
                "m.bspm: expected times: 1 finite numbers, found other values"
            );
        }
    }

    #[test]
    fn a_model_without_filter_and_updates_has_no_such_tensors() {
        let bytes = smallest_file(None);
        let names = SafeTensors::deserialize(&bytes).unwrap();
        assert!(!names.names().contains(&BASIS));
        let length = bytes.len();
        let file = CheckedFile::new(Path::new(PATH), Arc::new(bytes)).unwrap();
        assert!(file.read::<u32, u32>().unwrap().histories.is_none());
        assert!(file.matrix(BASIS).is_err());
        let info = file.info().unwrap();
        assert_eq!((info.users, info.items, info.factors), (1, 1, 0));
        assert_eq!(info.bytes, length);
    }
}
