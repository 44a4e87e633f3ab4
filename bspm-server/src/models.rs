//! The models of a server: which one answers a request, and the event log that they share.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use bspm::CpuModel;
use twox_hash::XxHash3_64;

use super::current::CurrentModel;
use super::error::{Failure, ServerError};
use super::events::{EventOptions, EventWriter};
use super::live::{Live, LiveHistory};
use super::metrics::Metric;

/// A model file and its name in requests and responses.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelFile {
    /// The name.
    pub name: String,
    /// The path.
    pub path: PathBuf,
}

impl ModelFile {
    /// Names a model by its file: `shop` for `models/shop.bspm`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Self {
            name: name.into_owned(),
            path,
        }
    }

    /// Sets the name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}

/// The models of a server.
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub struct ModelOptions {
    /// The models. The first one answers requests without a user.
    pub models: Vec<ModelFile>,
    /// The share of the users that each model answers, in any unit. Default: equal shares.
    pub split: Vec<u32>,
    /// A model whose lists are computed and logged, but not sent. Default: none.
    pub shadow: Option<ModelFile>,
    /// Whether files are read into memory instead of mapped. Default: `false`.
    pub copy: bool,
    /// The event log. Default: none.
    pub events: Option<EventOptions>,
}

impl ModelOptions {
    /// Returns the default options with these models.
    pub fn new(models: impl IntoIterator<Item = ModelFile>) -> Self {
        Self {
            models: models.into_iter().collect(),
            split: Vec::new(),
            shadow: None,
            copy: false,
            events: None,
        }
    }

    /// # Errors
    ///
    /// [`ServerError::Models`].
    fn check(&self) -> Result<(), ServerError> {
        let refused = |message: String| Err(ServerError::Models(message));
        let all = || self.models.iter().chain(&self.shadow);
        if self.models.is_empty() {
            return refused("expected at least one model".into());
        }
        for (place, file) in all().enumerate() {
            if file.name.is_empty() || file.name.chars().any(char::is_control) {
                return refused(format!(
                    "model name: expected a text without control characters, found {:?}; hint: name a \
                     model with NAME=FILE",
                    file.name
                ));
            }
            if all().take(place).any(|other| other.name == file.name) {
                return refused(format!(
                    "two models have the name {:?}; hint: name a model with NAME=FILE",
                    file.name
                ));
            }
        }
        let (shares, models) = (self.split.len(), self.models.len());
        if shares > 0 && shares != models {
            return refused(format!(
                "split: expected one share for each of {models} models, found {shares}"
            ));
        }
        if shares > 0 && self.split.iter().all(|&share| share == 0) {
            return refused("split: expected a share greater than 0, found none".into());
        }
        if self.shadow.is_some() && !self.events.as_ref().is_some_and(|events| events.log_lists) {
            return refused("a shadow model has no effect unless lists are logged".into());
        }
        Ok(())
    }
}

/// The open models of a server, and its event log.
#[derive(Debug)]
pub struct Models {
    models: Vec<Arc<CurrentModel>>,
    split: Vec<u32>,
    shadow: Option<Arc<CurrentModel>>,
    events: Option<EventWriter>,
    new_items: Option<Duration>,
}

/// The model that answers a request.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    pub(super) name: Arc<str>,
    pub(super) model: Arc<CpuModel>,
    pub(super) live: Option<Arc<Live>>,
    /// The number of responses of the model.
    pub(super) responses: Arc<AtomicU64>,
    pub(super) is_shadow: bool,
}

impl Models {
    /// Opens the models, and replays the event log. Logs a warning for each problem of the log.
    ///
    /// # Errors
    ///
    /// [`ServerError::Models`] if the options contradict each other; [`ServerError::Model`] if a model
    /// cannot be opened; [`ServerError::Events`] if the log cannot be opened.
    pub fn open(options: &ModelOptions) -> Result<Self, ServerError> {
        options.check()?;
        let events = match &options.events {
            None => None,
            Some(options) => {
                let (writer, report) = EventWriter::open(options)?;
                for warning in report.warnings() {
                    tracing::warn!("{warning}");
                }
                tracing::info!(events = report.records, "the event log was replayed");
                Some(writer)
            }
        };
        let live = events.as_ref().map(|events| events.live.clone());
        let open = |file: &ModelFile| {
            CurrentModel::open(&file.name, &file.path, options.copy, live.clone()).map(Arc::new)
        };
        let models = options.models.iter().map(open);
        let equal = vec![1; options.models.len()];
        Ok(Self {
            models: models.collect::<bspm::Result<_>>()?,
            split: match options.split.is_empty() {
                true => equal,
                false => options.split.clone(),
            },
            shadow: options.shadow.as_ref().map(open).transpose()?,
            events,
            new_items: options.events.as_ref().and_then(|events| events.new_items),
        })
    }

    /// Returns the model with this name, or the model that answers the requests of the user, or the first
    /// model.
    ///
    /// # Errors
    ///
    /// [`Failure::NoModel`].
    pub(super) fn choose(&self, name: Option<&str>, user: Option<&str>) -> Result<Chosen, Failure> {
        let model = match (name, user) {
            (Some(name), _) => {
                let named = self.all().find(|model| &*model.name == name);
                named.ok_or_else(|| self.no_model(name))?
            }
            (None, Some(user)) if self.models.len() > 1 => &self.models[self.place_of(user)],
            (None, _) => self.first(),
        };
        Ok(self.chosen(model))
    }

    /// The shadow model.
    pub(super) fn shadow(&self) -> Option<Chosen> {
        let chosen = self.chosen(self.shadow.as_ref()?);
        Some(Chosen {
            is_shadow: true,
            ..chosen
        })
    }

    pub(super) fn first(&self) -> &CurrentModel {
        &self.models[0]
    }

    pub(super) fn events(&self) -> Option<&EventWriter> {
        self.events.as_ref()
    }

    /// All models, the shadow model last.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<CurrentModel>> {
        self.models.iter().chain(&self.shadow)
    }

    fn chosen(&self, model: &CurrentModel) -> Chosen {
        Chosen {
            name: model.name.clone(),
            model: model.get(),
            live: self.events.as_ref().map(|events| events.live.clone()),
            responses: model.responses.clone(),
            is_shadow: false,
        }
    }

    fn no_model(&self, name: &str) -> Failure {
        let names: Vec<&str> = self.all().map(|model| &*model.name).collect();
        Failure::NoModel(format!(
            "no model {name:?}; expected one of: {}",
            names.join(", ")
        ))
    }

    /// The place of the model of a user. It depends on the user and the shares only.
    fn place_of(&self, user: &str) -> usize {
        let all: u64 = self.split.iter().copied().map(u64::from).sum();
        let mut rest = XxHash3_64::oneshot(user.as_bytes()) % all;
        self.split
            .iter()
            .position(|&share| match rest.checked_sub(share.into()) {
                Some(less) => {
                    rest = less;
                    false
                }
                None => true,
            })
            .unwrap_or_default()
    }

    /// Returns the values for monitoring.
    pub(super) fn metrics(&self) -> Vec<Metric> {
        let models = self.all().flat_map(|model| model.metrics());
        let events = self.events.iter().flat_map(EventWriter::metrics);
        models.chain(events).collect()
    }

    /// Waits until the lists of all answers are logged.
    pub(super) async fn flush(&self) {
        if let Some(events) = &self.events {
            events.flush().await;
        }
    }

    /// Reloads models whose file is replaced, and folds in new items. Ends with the runtime.
    pub(super) fn watch(self: &Arc<Self>) {
        for model in self.all() {
            tokio::spawn(model.clone().watch());
        }
        if let Some(interval) = self.new_items {
            tokio::spawn(self.clone().fold_in_every(interval));
        }
    }

    /// Requests a reload of all models.
    pub(super) fn request_reload(&self) {
        self.all().for_each(|model| model.request_reload());
    }

    async fn fold_in_every(self: Arc<Self>, interval: Duration) {
        loop {
            tokio::time::sleep(interval).await;
            for model in self.all().cloned() {
                let name = model.name.clone();
                let folded = tokio::task::spawn_blocking(move || model.fold_in()).await;
                match folded {
                    Ok(Ok(true)) => tracing::info!(model = &*name, "new items were folded in"),
                    Ok(Ok(false)) => {}
                    Ok(Err(error)) => {
                        let error = bspm::with_sources(&error);
                        tracing::warn!(model = &*name, "new items were not folded in: {error}");
                    }
                    Err(error) => {
                        tracing::warn!(model = &*name, "new items were not folded in: {error}");
                    }
                }
            }
        }
    }
}

impl Chosen {
    /// Returns the history of a user, if the user has interactions since the fit.
    pub(super) fn live_history(&self, user: &str) -> Option<LiveHistory> {
        self.live.as_ref()?.history(&self.model, user)
    }
}
