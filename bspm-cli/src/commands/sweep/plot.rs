//! Plots NDCG against `T_s`, with one line per `beta`.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;

use bspm::sweep::SweepRow;
use plotters::prelude::*;

use crate::commands::plot::{self, Area, TEXT, TITLE};

/// Draws the best NDCG for each combination of `T_s` and `beta`.
pub(super) fn draw(path: &Path, cutoff: usize, rows: &[SweepRow]) -> Result<(), Box<dyn Error>> {
    let lines = lines(rows);
    if lines.is_empty() {
        return Err("--plot: nothing to plot, because sharpening is off in all settings".into());
    }
    plot::write(
        path,
        &Plot {
            cutoff,
            lines,
            vectors: vectors(rows),
        },
    )
}

/// Describes the numbers of singular vectors of the rows.
fn vectors(rows: &[SweepRow]) -> String {
    let counts = rows.iter().filter_map(|row| row.config.ideal_low_pass());
    let counts: BTreeSet<usize> = counts.map(|filter| filter.factor_dim).collect();
    let list: Vec<String> = counts.iter().map(usize::to_string).collect();
    match list.len() {
        0 => String::new(),
        1 => format!(", {} singular vectors", list[0]),
        _ => format!(", the best of {} singular vectors", list.join(", ")),
    }
}

struct Plot {
    cutoff: usize,
    lines: Vec<Line>,
    /// The part of the title about the singular vectors.
    vectors: String,
}

/// A `beta` and its points; `None` if the ideal low-pass filter is off.
struct Line {
    beta: Option<f32>,
    points: Vec<(f64, f64)>,
}

fn lines(rows: &[SweepRow]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for row in rows {
        let Some(sharpening) = row.config.sharpening() else {
            continue;
        };
        let beta = row.config.ideal_low_pass().map(|filter| filter.beta);
        let place = match lines.iter().position(|line| line.beta == beta) {
            Some(place) => place,
            None => {
                lines.push(Line {
                    beta,
                    points: Vec::new(),
                });
                lines.len() - 1
            }
        };
        let (time, ndcg) = (f64::from(sharpening.time), row.metrics[0].ndcg);
        let points = &mut lines[place].points;
        match points.iter_mut().find(|point| point.0 == time) {
            Some(point) => point.1 = point.1.max(ndcg),
            None => points.push((time, ndcg)),
        }
    }
    for line in &mut lines {
        line.points
            .sort_by(|left, right| left.0.total_cmp(&right.0));
    }
    lines.sort_by(|left, right| {
        left.beta
            .partial_cmp(&right.beta)
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    lines
}

impl plot::Plot for Plot {
    fn draw<D: DrawingBackend>(&self, area: &Area<D>) -> Result<(), Box<dyn Error>>
    where
        D::ErrorType: 'static,
    {
        let Self {
            cutoff,
            lines,
            vectors,
        } = self;
        let points = || lines.iter().flat_map(|line| line.points.iter());
        let times = plot::range(points().map(|point| point.0));
        let values = plot::range(points().map(|point| point.1));
        let corner = plot::free_corner(points().copied(), &times, &values);
        let mut chart = ChartBuilder::on(area)
            .margin(16)
            .caption(format!("Best NDCG@{cutoff} at each T_s{vectors}"), TITLE)
            .x_label_area_size(48)
            .y_label_area_size(72)
            .build_cartesian_2d(times, values)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_desc("T_s")
            .y_desc(format!("NDCG@{cutoff}"))
            .y_label_formatter(&|value| format!("{value:.4}"))
            .label_style(TEXT)
            .draw()?;
        for (place, line) in lines.iter().enumerate() {
            let color = plot::color(place);
            let label = match line.beta {
                Some(beta) => format!("beta {beta}"),
                None => "no ideal low-pass filter".to_owned(),
            };
            chart
                .draw_series(LineSeries::new(
                    line.points.iter().copied(),
                    color.stroke_width(2),
                ))?
                .label(label)
                .legend(move |(x, y)| {
                    PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2))
                });
            let dots = line
                .points
                .iter()
                .map(|&point| Circle::new(point, 3, color.filled()));
            chart.draw_series(dots)?;
        }
        let best = points().max_by(|left, right| left.1.total_cmp(&right.1));
        if let Some(&best) = best {
            let label = format!("best: {:.4}", best.1);
            chart
                .draw_series([Circle::new(best, 7, BLACK.stroke_width(2))])?
                .label(label)
                .legend(|(x, y)| Circle::new((x + 9, y), 6, BLACK.stroke_width(2)));
        }
        plot::legend(&mut chart, corner)
    }
}
