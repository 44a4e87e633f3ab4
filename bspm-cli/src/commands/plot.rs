//! Common parts of all plots: output files and style.

use std::error::Error;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Once;

use plotters::coord::{CoordTranslate, Shift};
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

use crate::output::write_file;

const SIZE: (u32, u32) = (900, 600);

/// The fonts of labels and titles.
pub(super) const TEXT: (&str, u32) = ("sans-serif", 16);
pub(super) const TITLE: (&str, u32) = ("sans-serif", 20);

/// The area that a plot is drawn on.
pub(super) type Area<D> = DrawingArea<D, Shift>;

/// A plot.
pub(super) trait Plot {
    fn draw<D: DrawingBackend>(&self, area: &Area<D>) -> Result<(), Box<dyn Error>>
    where
        D::ErrorType: 'static;
}

/// Parses a file name that ends in `.svg` or `.png`.
pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().and_then(|it| it.to_str()) {
        Some("svg" | "png") => Ok(path),
        _ => Err("expected a file name that ends in .svg or .png".into()),
    }
}

/// Returns one of several colours that are easy to distinguish on white.
pub(super) fn color(place: usize) -> RGBAColor {
    const COLORS: [RGBColor; 8] = [
        RGBColor(0, 90, 181),
        RGBColor(220, 50, 32),
        RGBColor(0, 128, 92),
        RGBColor(150, 80, 170),
        RGBColor(200, 110, 0),
        RGBColor(90, 90, 90),
        RGBColor(0, 140, 190),
        RGBColor(170, 20, 90),
    ];
    let round = (place / COLORS.len()) as f64;
    COLORS[place % COLORS.len()].mix((1.0 - 0.3 * round).max(0.2))
}

/// Draws in memory and then writes the file, so that write errors are reported.
pub(super) fn write(path: &Path, plot: &impl Plot) -> Result<(), Box<dyn Error>> {
    static FONT: Once = Once::new();
    FONT.call_once(|| {
        // Fails only if the font is damaged; the plot then has no text.
        let _ = register_font("sans-serif", FontStyle::Normal, dejavu::sans::regular());
    });
    let bytes = match path.extension().is_some_and(|it| it == "svg") {
        true => svg(plot)?,
        false => png(plot)?,
    };
    Ok(write_file(path, &bytes)?)
}

fn svg(plot: &impl Plot) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut text = String::new();
    on(SVGBackend::with_string(&mut text, SIZE), plot)?;
    Ok(text.into_bytes())
}

fn png(plot: &impl Plot) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut pixels = vec![0; SIZE.0 as usize * SIZE.1 as usize * 3];
    on(BitMapBackend::with_buffer(&mut pixels, SIZE), plot)?;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIZE.0, SIZE.1);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(bytes)
}

fn on<D: DrawingBackend>(backend: D, plot: &impl Plot) -> Result<(), Box<dyn Error>>
where
    D::ErrorType: 'static,
{
    let area = backend.into_drawing_area();
    area.fill(&WHITE)?;
    plot.draw(&area)?;
    Ok(area.present()?)
}

/// Returns the corner of the chart with the fewest points, for the legend.
pub(super) fn free_corner(
    points: impl Iterator<Item = (f64, f64)> + Clone,
    across: &Range<f64>,
    upwards: &Range<f64>,
) -> SeriesLabelPosition {
    const SIDE: f64 = 0.4;
    let corners = [
        (SeriesLabelPosition::LowerRight, true, false),
        (SeriesLabelPosition::LowerLeft, false, false),
        (SeriesLabelPosition::UpperRight, true, true),
        (SeriesLabelPosition::UpperLeft, false, true),
    ];
    let is_at = |range: &Range<f64>, value: f64, high: bool| {
        let share = (value - range.start) / (range.end - range.start);
        if high {
            share > 1.0 - SIDE
        } else {
            share < SIDE
        }
    };
    let count = |right: bool, up: bool| {
        let points = points.clone();
        points
            .filter(|it| is_at(across, it.0, right) && is_at(upwards, it.1, up))
            .count()
    };
    let best = corners
        .into_iter()
        .min_by_key(|&(_, right, up)| count(right, up));
    best.map_or(SeriesLabelPosition::LowerRight, |it| it.0)
}

/// Draws the legend in this corner.
pub(super) fn legend<'a, D: DrawingBackend + 'a, C: CoordTranslate>(
    chart: &mut ChartContext<'a, D, C>,
    corner: SeriesLabelPosition,
) -> Result<(), Box<dyn Error>>
where
    D::ErrorType: 'static,
{
    chart
        .configure_series_labels()
        .position(corner)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .label_font(TEXT)
        .draw()?;
    Ok(())
}

/// Returns the range of the values, with a margin.
pub(super) fn range(values: impl Iterator<Item = f64> + Clone) -> Range<f64> {
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.fold(f64::NEG_INFINITY, f64::max);
    let margin = ((high - low) * 0.05).max(high.abs() * 1e-3).max(1e-6);
    low - margin..high + margin
}
