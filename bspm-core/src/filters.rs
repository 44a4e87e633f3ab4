//! The filters, a file each; `registry` lists them.

pub(crate) mod bspm;
mod cheby_cf;
mod contract;
mod ease_dan;
mod ease_r;
mod family;
mod gf_cf;
mod item_knn;
mod lgcn_ide;
mod link_prop;
mod popularity;
pub(crate) mod preset;
pub(crate) mod registry;
mod rp3beta;
pub(crate) mod setting;
mod sgfcf;
mod svd_ae;
mod turbo_cf;

pub use bspm::config::{BspmConfig, BspmConfigBuilder, IdealLowPass, Integration, Merge};
pub use bspm::solver::Solver;
pub use cheby_cf::ChebyCf;
pub use ease_dan::EaseDan;
pub use ease_r::EaseR;
pub use family::{Family, FrequencyResponse};
pub use gf_cf::GfCf;
pub use item_knn::{ItemKnn, Similarity, UserWeighting};
pub use lgcn_ide::LgcnIde;
pub use link_prop::LinkProp;
pub use popularity::Popularity;
pub use preset::Preset;
pub use registry::{FilterConfig, Mix, MixPart, Neighbours, SettingInfo};
pub use rp3beta::Rp3Beta;
pub use setting::{Search, Setting, SettingKind};
pub use sgfcf::Sgfcf;
pub use svd_ae::SvdAe;
pub use turbo_cf::{TurboCf, TurboFilter};
