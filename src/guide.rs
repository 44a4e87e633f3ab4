//! The user guide.
//!
//! | chapter | contents |
//! | --- | --- |
//! | [`quickstart`] | a first model and its lists |
//! | [`data`] | reading files: formats, columns, options, errors |
//! | [`items`] | titles and other columns of items, conditions, re-ranking, tags |
//! | [`method`] | the processes of the paper, from the equations to the code |
//! | [`parameters`] | choosing the parameters for your data |
//! | [`tuning`] | finding the best filter for your data, and weights of interactions |
//! | [`embedding`] | models in an application: ids, new users, updates, files |
//! | [`serving`] | answering requests: latency, threads, processes |
//! | [`events`] | interactions after the fit, several models on a server |
//! | [`deployment`] | Kubernetes, systemd, Compose, TLS, sizes |
//! | [`batches`] | lists for all users: part files, Arrow, Spark, SQL, sparse vectors |
//! | [`scale`] | estimated costs for a hundred million users and ten million items |
//! | [`python`] | the Python package |
//! | [`gpu`] | libtorch and CUDA |
//! | [`accuracy`] | the meaning and the accuracy of the numbers |
//! | [`results`] | metrics, times and memory on the published splits |
//! | [`extending`] | adding a filter or a backend |
//! | [`flags`] | every command of the tool and its flags |
//! | [`settings`] | every filter and its settings |

#[doc = include_str!("guide/quickstart.md")]
pub mod quickstart {}

#[doc = include_str!("guide/data.md")]
pub mod data {}

#[doc = include_str!("guide/items.md")]
pub mod items {}

#[doc = include_str!("guide/method.md")]
pub mod method {}

#[doc = include_str!("guide/parameters.md")]
pub mod parameters {}

#[doc = include_str!("guide/tuning.md")]
pub mod tuning {}

#[doc = include_str!("guide/embedding.md")]
pub mod embedding {}

#[doc = include_str!("guide/serving.md")]
#[doc = include_str!("guide/page.md")]
pub mod serving {}

#[doc = include_str!("guide/events.md")]
pub mod events {}

#[doc = include_str!("guide/deployment.md")]
pub mod deployment {}

#[doc = include_str!("guide/batches.md")]
pub mod batches {}

#[doc = include_str!("guide/scale.md")]
pub mod scale {}

#[doc = include_str!("guide/python.md")]
pub mod python {}

#[doc = include_str!("guide/gpu.md")]
pub mod gpu {}

#[doc = include_str!("guide/accuracy.md")]
pub mod accuracy {}

#[doc = include_str!("guide/results.md")]
pub mod results {}

#[doc = include_str!("guide/extending.md")]
#[doc = "\n```no_run"]
#[doc = include_str!("guide/own_filter.rs")]
#[doc = "```"]
#[doc = include_str!("guide/extending_library.md")]
#[doc = "\n```no_run"]
#[doc = include_str!("guide/loops.rs")]
#[doc = "```"]
pub mod extending {}

#[doc = include_str!("guide/reference/flags.md")]
pub mod flags {}

#[doc = include_str!("guide/reference/settings.md")]
pub mod settings {}
