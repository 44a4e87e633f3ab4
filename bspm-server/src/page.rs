//! The page: its files and its `Content-Security-Policy`.

use bspm::CpuModel;
use bspm::data::{ItemColumn, ItemColumnKind};

/// The document.
pub(super) const PAGE: &str = include_str!("page/page.html");
/// The style sheet.
pub(super) const STYLE: &str = include_str!("page/page.css");
/// The script.
pub(super) const SCRIPT: &str = include_str!("page/page.js");

/// The columns of an item table that may have the addresses of pictures.
const IMAGE_COLUMNS: [&str; 3] = ["image", "image_url", "picture"];

/// A policy that loads nothing from other sites, with these sources of pictures.
macro_rules! policy {
    ($pictures:literal) => {
        concat!(
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src ",
            $pictures,
            "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    };
}

/// The policy of all responses, except for the page of a model with pictures.
pub(super) const POLICY: &str = policy!("data:");

/// The policy of the page of a model with pictures, which may be on any site.
pub(super) const POLICY_WITH_PICTURES: &str = policy!("https: data:");

/// The column of the item table with the addresses of pictures, if there is one.
pub(super) fn image_column(model: &CpuModel) -> Option<&ItemColumn> {
    let table = model.dataset().item_table()?;
    let mut columns = IMAGE_COLUMNS.iter().filter_map(|name| table.column(name));
    columns.find(|column| column.kind() == ItemColumnKind::Text)
}
