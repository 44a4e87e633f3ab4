//! Progress bars on standard error.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bspm::{Observer, Progress, Stage};
use indicatif::{ProgressBar, ProgressStyle};

/// A progress bar on standard error for the stage that is running.
///
/// Nothing is shown if standard error is not a terminal. The bar is removed by
/// [`clear`](Self::clear) and on drop.
#[derive(Debug, Default)]
pub struct ProgressBars {
    current: Arc<Current>,
}

type Current = Mutex<Option<(Stage, ProgressBar)>>;

impl ProgressBars {
    /// Returns an observer that shows the progress of each stage and never cancels.
    pub fn observer(&self) -> Observer {
        let current = self.current.clone();
        Observer::new(move |progress| {
            show(&current, progress);
            ControlFlow::Continue(())
        })
    }

    /// Removes the bar from the screen.
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
    // All singular vectors converge near the end, so the remaining time cannot be estimated.
    let is_svd = progress.stage == Stage::TruncatedSvd;
    let template = match is_svd {
        true => "{msg} {spinner} {human_pos} of {human_len} vectors found, {elapsed}",
        false => "{msg} {wide_bar} {human_pos}/{human_len}, {eta} left",
    };
    let style = ProgressStyle::with_template(template);
    let bar = ProgressBar::new(progress.total as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(progress.stage.to_string());
    if is_svd {
        bar.enable_steady_tick(Duration::from_millis(200));
    }
    bar
}
