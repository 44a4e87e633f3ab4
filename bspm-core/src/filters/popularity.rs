//! Popularity: what everybody else chose.

use ndarray::{Array2, Axis, aview1};
use serde::{Deserialize, Serialize};

use crate::backend::{Backend, Update};
use crate::config::Preset;
use crate::error::Result;
use crate::filter::{Filter, Settings, TileHistories};
use crate::fit_options::FitOptions;
use crate::interactions::Interactions;
use crate::normalization::powers;
use crate::process::{Scratch, Tile};

/// An item scores as many points as it has users, whatever the history.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Popularity {}

struct FittedPopularity<B: Backend> {
    /// `items x 1`.
    degrees: B::Matrix,
    ones: B::Matrix,
    items: usize,
}

impl Settings for Popularity {
    const NAME: &'static str = "popularity";

    fn published(_data: Preset) -> Self {
        Self {}
    }

    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn fit<B: Backend>(
        &self,
        backend: &B,
        interactions: &Interactions,
        _options: &FitOptions,
    ) -> Result<Box<dyn Filter<B>>> {
        let degrees = interactions.item_degrees();
        let column = |values: &[f32]| backend.upload(aview1(values).insert_axis(Axis(1)));
        let counts: Vec<f32> = degrees.iter().map(|&degree| degree as f32).collect();
        Ok(Box::new(FittedPopularity::<B> {
            degrees: column(&counts)?,
            ones: column(&powers(&degrees, 0.0))?,
            items: degrees.len(),
        }))
    }
}

impl<B: Backend> Filter<B> for FittedPopularity<B> {
    fn scratch(&self) -> Scratch {
        Scratch {
            items: self.items,
            ..Scratch::default()
        }
    }

    fn score_tile(
        &self,
        backend: &B,
        histories: TileHistories<'_>,
        tile: &mut Tile<B>,
    ) -> Result<()> {
        let row = backend.upload(Array2::ones((1, histories.columns())).view())?;
        backend.matmul(
            &self.degrees,
            false,
            &row,
            Update::REPLACE,
            &mut tile.scores,
        )
    }

    fn item_scale(&self) -> &B::Matrix {
        &self.ones
    }
}
