//! Plots the metric of each trial against its time, coloured by filter.

use std::error::Error;
use std::path::Path;

use bspm::tune::{Trial, TrialOutcome};
use plotters::prelude::*;

use crate::commands::plot::{self, Area, TEXT, TITLE};

/// Draws the trials that were evaluated completely or in part.
pub(super) fn draw(path: &Path, metric: &str, trials: &[&Trial]) -> Result<(), Box<dyn Error>> {
    let evaluated = |trial: &&&Trial| !matches!(trial.outcome, TrialOutcome::Failed(_));
    let trials: Vec<&Trial> = trials.iter().filter(evaluated).copied().collect();
    if trials.is_empty() {
        return Err("--plot: nothing to plot, because no trial could be evaluated".into());
    }
    plot::write(path, &Plot { metric, trials })
}

struct Plot<'a> {
    metric: &'a str,
    /// Best first.
    trials: Vec<&'a Trial>,
}

/// Shorter times are shown as this time.
const LEAST_SECONDS: f64 = 1e-3;

fn point(trial: &Trial) -> (f64, f64) {
    let seconds = (trial.fit_seconds + trial.score_seconds).max(LEAST_SECONDS);
    (seconds, trial.estimate)
}

impl plot::Plot for Plot<'_> {
    fn draw<D: DrawingBackend>(&self, area: &Area<D>) -> Result<(), Box<dyn Error>>
    where
        D::ErrorType: 'static,
    {
        let metric = self.metric;
        let mut filters: Vec<&str> = Vec::new();
        for trial in &self.trials {
            if !filters.contains(&trial.config.name()) {
                filters.push(trial.config.name());
            }
        }
        let points = || self.trials.iter().map(|trial| point(trial));
        let seconds = plot::range(points().map(|it| it.0.log10()));
        let values = plot::range(points().map(|it| it.1));
        let scaled = points().map(|it| (it.0.log10(), it.1));
        let corner = plot::free_corner(scaled, &seconds, &values);
        let seconds = 10_f64.powf(seconds.start)..10_f64.powf(seconds.end);
        let mut chart = ChartBuilder::on(area)
            .margin(16)
            .caption(
                format!("{} trials: {metric} against time", self.trials.len()),
                TITLE,
            )
            .x_label_area_size(48)
            .y_label_area_size(72)
            .build_cartesian_2d(seconds.log_scale(), values.clone())?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_desc("seconds for fitting and scoring (log scale)")
            .y_desc(metric)
            .y_label_formatter(&|value| format!("{value:.4}"))
            .label_style(TEXT)
            .draw()?;
        for (place, filter) in filters.iter().enumerate() {
            let color = plot::color(place);
            let of_filter = self.trials.iter().filter(|it| it.config.name() == *filter);
            let dots = of_filter.map(|trial| match trial.outcome {
                TrialOutcome::Complete => Circle::new(point(trial), 4, color.filled()),
                _ => Circle::new(point(trial), 4, color.stroke_width(1)),
            });
            chart
                .draw_series(dots)?
                .label(*filter)
                .legend(move |(x, y)| Circle::new((x + 9, y), 4, color.filled()));
        }
        if let Some(best) = self.trials.first() {
            chart
                .draw_series([Circle::new(point(best), 8, BLACK.stroke_width(2))])?
                .label(format!("best: {:.4}", best.estimate))
                .legend(|(x, y)| Circle::new((x + 9, y), 6, BLACK.stroke_width(2)));
        }
        plot::legend(&mut chart, corner)
    }
}
