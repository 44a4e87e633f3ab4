//! The guide: from a first list to a service, chapter by chapter.
//!
//! | chapter | for |
//! | --- | --- |
//! | [`quickstart`] | a first model and its lists |
//! | [`data`] | reading files: formats, columns, options, errors |
//! | [`items`] | titles and other columns of items |
//! | [`parameters`] | choosing the parameters for your own data |
//! | [`tuning`] | the best filter for your own data, and interactions that count more or less |
//! | [`embedding`] | models inside an application: ids, new users, updates, files |
//! | [`serving`] | answering requests: latency, threads, processes |
//! | [`batches`] | lists for everybody: part files, Arrow, Spark, SQL |
//! | [`scale`] | what a hundred million users and ten million items cost, on paper |
//! | [`python`] | the Python package |
//! | [`gpu`] | libtorch and CUDA |
//! | [`accuracy`] | what the numbers mean, and how exact they are |
//! | [`results`] | metrics, times and memory on the published splits |
//! | [`extending`] | adding a filter or a backend |

#[doc = include_str!("guide/quickstart.md")]
pub mod quickstart {}

#[doc = include_str!("guide/data.md")]
pub mod data {}

#[doc = include_str!("guide/items.md")]
pub mod items {}

#[doc = include_str!("guide/parameters.md")]
pub mod parameters {}

#[doc = include_str!("guide/tuning.md")]
pub mod tuning {}

#[doc = include_str!("guide/embedding.md")]
pub mod embedding {}

#[doc = include_str!("guide/serving.md")]
#[doc = include_str!("guide/page.md")]
pub mod serving {}

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
