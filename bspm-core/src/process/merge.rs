//! The merge of blur, ideal low-pass and sharpen into scores (paper, section 3.4).

use super::Tile;
use super::blur::blur;
use super::ideal_low_pass::FittedIdealLowPass;
use super::sharpen::sharpen;
use crate::backend::Backend;
use crate::config::{BspmConfig, Merge};
use crate::error::Result;
use crate::normalization::NormalizedGraph;

/// Runs the whole model on one tile, from histories to the tile's scores, in walk
/// coordinates.
///
/// Early merge adds the ideal low-pass part to the blurred scores before they are
/// sharpened, late merge to what comes out. With t-point combination that is the
/// mean of the blurred and the sharpened points. With sharpening off, both merges
/// add it to the blurred scores.
pub(crate) fn score_tile<B: Backend>(
    backend: &B,
    graph: &NormalizedGraph<B>,
    config: &BspmConfig,
    filter: Option<&FittedIdealLowPass<B>>,
    histories: &B::Histories,
    tile: &mut Tile<B>,
) -> Result<()> {
    let add_low_pass = |tile: &mut Tile<B>| match filter {
        Some(filter) => filter.add_to(backend, histories, &mut tile.coefficients, &mut tile.scores),
        None => Ok(()),
    };

    blur(backend, graph, config.blur(), histories, tile)?;
    if let Some(sharpening) = config.sharpening() {
        if config.merge() == Merge::Early {
            add_low_pass(tile)?;
        }
        sharpen(backend, graph, sharpening, tile)?;
    }
    tile.combine_points();
    if config.merge() == Merge::Late || config.sharpening().is_none() {
        add_low_pass(tile)?;
    }
    Ok(())
}
