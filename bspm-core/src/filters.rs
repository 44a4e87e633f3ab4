//! The filters and their settings.
//!
//! [`FilterConfig`] is a filter with its settings. The page of each filter has its formula, when to use it,
//! its settings with their ranges, its cost, its source and an example. Figures of accuracy, time and memory
//! on the published splits are in the chapter `results` of the guide (crate `bspm`).
//!
//! | name | type | filter |
//! | --- | --- | --- |
//! | `bspm` | [`BspmConfig`] | blurring-sharpening process models |
//! | `gf-cf` | [`GfCf`] | blur and an ideal low-pass filter |
//! | `lgcn-ide` | [`LgcnIde`] | LightGCN without training |
//! | `link-prop` | [`LinkProp`] | degree-weighted paths of length three |
//! | `turbo-cf` | [`TurboCf`] | a polynomial of the item graph with its entries raised to a power |
//! | `cheby-cf` | [`ChebyCf`] | Chebyshev interpolation of a plateau |
//! | `ease-r` | [`EaseR`] | a linear autoencoder, dense or sparse |
//! | `ease-dan` | [`EaseDan`] | EASE-R of a normalised matrix |
//! | `svd-ae` | [`SvdAe`] | a linear autoencoder of low rank |
//! | `item-knn` | [`ItemKnn`] | neighbours by cosine or Tversky's index |
//! | `rp3beta` | [`Rp3Beta`] | random walks of three steps with a popularity penalty |
//! | `sgfcf` | [`Sgfcf`] | powers of the singular values plus paths of length three |
//! | `family` | [`Family`] | a general form that contains the spectral filters |
//! | `popularity` | [`Popularity`] | the same list for all users |
//! | `mix` | [`Mix`] | a weighted sum of filters |
//! | `neighbours` | [`Neighbours`] | the neighbour table of another filter |
//!
//! [`ItemGraph`] is a custom filter.
//!
//! # Symbols
//!
//! | symbol | meaning |
//! | --- | --- |
//! | `$A$` | the interactions, users x items; an entry is 1, or the weight of the interaction |
//! | `$D_u$`, `$D_i$` | diagonal matrices of the degrees: the sums of the rows and of the columns of `$A$` |
//! | `$d_u$`, `$d_i$` | the degree of a user, and of an item |
//! | `$R$` | the normalised matrix; most filters use `$R = D_u^{-1/2} A D_i^{-1/2}$` |
//! | `$P$` | the normalised item graph `$R^T R$`, items x items; its largest eigenvalue is 1 |
//! | `$V$`, `$S$` | the leading right singular vectors of `$R$`, items x vectors, and their singular values |
//! | `$I$` | the identity matrix |
//! | `$r$` | a history: a row of `$A$`, or the items and weights of a new user |
//! | `$y$` | the scores of a history, one for each item |

pub(crate) mod bspm;
mod cheby_cf;
mod ease_dan;
mod ease_r;
mod family;
mod filter_settings;
mod gf_cf;
mod item_graph;
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
pub use item_graph::ItemGraph;
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
