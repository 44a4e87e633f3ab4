//! The filters, a file each; `registry` lists them.

pub(crate) mod bspm;
mod cheby_cf;
mod contract;
mod ease_r;
mod gf_cf;
mod item_knn;
mod lgcn_ide;
mod link_prop;
mod popularity;
pub(crate) mod preset;
pub(crate) mod registry;
mod turbo_cf;

pub use bspm::config::{BspmConfig, BspmConfigBuilder, IdealLowPass, Integration, Merge};
pub use bspm::settings::{Setting, SettingKind};
pub use bspm::solver::Solver;
pub use cheby_cf::ChebyCf;
pub use ease_r::EaseR;
pub use gf_cf::GfCf;
pub use item_knn::ItemKnn;
pub use lgcn_ide::LgcnIde;
pub use link_prop::LinkProp;
pub use popularity::Popularity;
pub use preset::Preset;
pub use registry::FilterConfig;
pub use turbo_cf::{TurboCf, TurboFilter};
