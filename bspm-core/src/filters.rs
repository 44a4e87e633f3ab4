//! The filters, a file each.

mod bspm;
mod cheby_cf;
mod ease_r;
mod gf_cf;
mod item_graph;
mod item_knn;
mod lgcn_ide;
mod link_prop;
mod popularity;
mod turbo_cf;
mod walk;

pub use cheby_cf::ChebyCf;
pub use ease_r::EaseR;
pub use gf_cf::GfCf;
pub use item_knn::ItemKnn;
pub use lgcn_ide::LgcnIde;
pub use link_prop::LinkProp;
pub use popularity::Popularity;
pub use turbo_cf::{TurboCf, TurboFilter};
