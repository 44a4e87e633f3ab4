//! NDCG against `T_s`, a line for each `beta`.

use std::error::Error;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Once;

use bspm::sweep::SweepRow;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

const SIZE: (u32, u32) = (900, 600);

/// A name that ends in `.svg` or `.png`.
pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().and_then(|it| it.to_str()) {
        Some("svg" | "png") => Ok(path),
        _ => Err("expected a name that ends in .svg or .png".into()),
    }
}

/// Draws the best NDCG of the settings with each `T_s` and `beta`.
pub(super) fn draw(path: &Path, cutoff: usize, rows: &[SweepRow]) -> Result<(), Box<dyn Error>> {
    static FONT: Once = Once::new();
    FONT.call_once(|| {
        // Refused only where the font is damaged; text is then left out.
        let _ = register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular());
    });
    let lines = lines(rows);
    if lines.is_empty() {
        return Err("there is nothing to plot: no setting sharpens".into());
    }
    let failed = |error: &dyn Error| format!("cannot write {}: {error}", path.display());
    if path.extension().is_some_and(|it| it == "svg") {
        let area = SVGBackend::new(path, SIZE).into_drawing_area();
        draw_on(&area, cutoff, &lines).map_err(|error| failed(&*error))?;
    } else {
        let area = BitMapBackend::new(path, SIZE).into_drawing_area();
        draw_on(&area, cutoff, &lines).map_err(|error| failed(&*error))?;
    }
    Ok(())
}

/// A `beta`, `None` where the ideal low-pass filter is off, and its points.
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

/// From the smallest value to the largest, with a margin.
fn range(values: impl Iterator<Item = f64> + Clone) -> Range<f64> {
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.fold(f64::NEG_INFINITY, f64::max);
    let margin = ((high - low) * 0.05).max(high.abs() * 1e-3).max(1e-6);
    low - margin..high + margin
}

fn draw_on<D: DrawingBackend>(
    area: &DrawingArea<D, Shift>,
    cutoff: usize,
    lines: &[Line],
) -> Result<(), Box<dyn Error>>
where
    D::ErrorType: 'static,
{
    let points = || lines.iter().flat_map(|line| line.points.iter());
    let times = range(points().map(|point| point.0));
    // Room for the names of the lines, to the right of them.
    let room = (times.end - times.start) * 0.25;
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(area)
        .margin(16)
        .x_label_area_size(48)
        .y_label_area_size(72)
        .build_cartesian_2d(
            times.start..times.end + room,
            range(points().map(|point| point.1)),
        )?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("T_s")
        .y_desc(format!("NDCG@{cutoff}"))
        .y_label_formatter(&|value| format!("{value:.4}"))
        .label_style(("sans-serif", 16))
        .draw()?;
    for (place, line) in lines.iter().enumerate() {
        let color = Palette99::pick(place).to_rgba();
        let label = match line.beta {
            Some(beta) => format!("beta {beta}"),
            None => "no ideal low-pass".to_owned(),
        };
        chart
            .draw_series(LineSeries::new(
                line.points.iter().copied(),
                color.stroke_width(2),
            ))?
            .label(label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        let dots = line
            .points
            .iter()
            .map(|&point| Circle::new(point, 3, color.filled()));
        chart.draw_series(dots)?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .label_font(("sans-serif", 16))
        .draw()?;
    area.present()?;
    Ok(())
}
