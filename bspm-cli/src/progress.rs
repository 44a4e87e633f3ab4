//! Progress bars on standard error.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use bspm::{Observer, Progress, Stage};
use indicatif::{ProgressBar, ProgressStyle};

/// One progress bar at a time, for the stage that runs; none where standard error is no
/// terminal. The bar goes when this is dropped, or cleared.
#[derive(Debug, Default)]
pub struct ProgressBars {
    current: Arc<Current>,
}

type Current = Mutex<Option<(Stage, ProgressBar)>>;

impl ProgressBars {
    /// Shows how far a stage is, and always goes on.
    pub fn observer(&self) -> Observer {
        let current = self.current.clone();
        Observer::new(move |progress| {
            show(&current, progress);
            ControlFlow::Continue(())
        })
    }

    /// Takes the bar off the screen.
    pub fn clear(&self) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bar)) = current.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for ProgressBars {
    fn drop(&mut self) {
        self.clear();
    }
}

fn show(current: &Current, progress: Progress) {
    let mut current = current.lock().unwrap_or_else(PoisonError::into_inner);
    let bar = match &*current {
        Some((stage, bar)) if *stage == progress.stage => bar.clone(),
        other => {
            if let Some((_, bar)) = other {
                bar.finish_and_clear();
            }
            let bar = bar(progress);
            *current = Some((progress.stage, bar.clone()));
            bar
        }
    };
    bar.set_position(progress.done as u64);
}

fn bar(progress: Progress) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len}, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(progress.total as u64)
        .with_style(style)
        .with_message(progress.stage.to_string())
}
