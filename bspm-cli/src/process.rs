//! Every knob of the model as a flag.

use bspm::filters::Integration;
use bspm::{BspmConfig, Merge, Solver};
use clap::{ArgAction, Args};

/// Changes to a configuration; what is not given stays as it is.
#[derive(Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "Processes of BSPM")]
pub struct ProcessArguments {
    /// Solver of the blurring process: euler, rk4, dormand-prince or exact
    #[arg(long, value_name = "SOLVER")]
    blur_solver: Option<Solver>,
    /// T_b
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    blur_time: Option<f32>,
    /// K_b
    #[arg(long, value_name = "K")]
    blur_steps: Option<usize>,

    /// Solver of the sharpening process: euler, rk4, dormand-prince or exact
    #[arg(long, value_name = "SOLVER")]
    sharpen_solver: Option<Solver>,
    /// T_s
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    sharpen_time: Option<f32>,
    /// K_s
    #[arg(long, value_name = "K")]
    sharpen_steps: Option<usize>,
    /// Turn sharpening off
    #[arg(long, conflicts_with_all = ["sharpen_solver", "sharpen_time", "sharpen_steps"])]
    no_sharpen: bool,

    /// Singular vectors of the ideal low-pass filter
    #[arg(long, value_name = "N")]
    factor_dim: Option<usize>,
    /// Weight of the ideal low-pass filter
    #[arg(long, allow_negative_numbers = true)]
    beta: Option<f32>,
    /// Solver of the ideal low-pass filter: as for the others
    #[arg(long, value_name = "SOLVER")]
    idl_solver: Option<Solver>,
    /// T_idl
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    idl_time: Option<f32>,
    /// K_idl
    #[arg(long, value_name = "K")]
    idl_steps: Option<usize>,
    /// Turn the ideal low-pass filter off
    #[arg(
        long,
        conflicts_with_all = ["factor_dim", "beta", "idl_solver", "idl_time", "idl_steps"]
    )]
    no_idl: bool,

    /// Where the ideal low-pass part joins: early or late
    #[arg(long)]
    merge: Option<Merge>,
    /// Whether the mean of all recorded points replaces the last: true or false
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    t_point_combination: Option<bool>,
}

impl ProcessArguments {
    /// Whether no flag was given.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// `base` with the changes, checked.
    ///
    /// A process that `base` has off starts from one Euler step over unit time where a
    /// flag turns it on, and the ideal low-pass filter from `beta` 0.2.
    ///
    /// # Errors
    ///
    /// [`bspm::Error::InvalidParameter`] for the first parameter outside its range.
    pub fn apply(&self, base: &BspmConfig) -> bspm::Result<BspmConfig> {
        let mut builder = base.to_builder();

        let blur = changed(
            base.blur(),
            self.blur_solver,
            self.blur_time,
            self.blur_steps,
        );
        builder = builder.blur(blur.solver, blur.time, blur.steps);

        let names_sharpening = self.sharpen_solver.is_some()
            || self.sharpen_time.is_some()
            || self.sharpen_steps.is_some();
        if self.no_sharpen {
            builder = builder.sharpening_off();
        } else if base.sharpening().is_some() || names_sharpening {
            let sharpening = changed(
                base.sharpening().unwrap_or(Integration::UNIT_EULER),
                self.sharpen_solver,
                self.sharpen_time,
                self.sharpen_steps,
            );
            builder = builder.sharpen(sharpening.solver, sharpening.time, sharpening.steps);
        }

        let low_pass = base.ideal_low_pass();
        if self.no_idl {
            builder = builder.ideal_low_pass_off();
        } else if let Some(factor_dim) = self.factor_dim.or(low_pass.map(|it| it.factor_dim)) {
            let beta = self.beta.or(low_pass.map(|it| it.beta)).unwrap_or(0.2);
            let integration = changed(
                low_pass.map_or(Integration::UNIT_EULER, |it| it.integration),
                self.idl_solver,
                self.idl_time,
                self.idl_steps,
            );
            builder = builder.ideal_low_pass_integrated(factor_dim, beta, integration);
        }

        if let Some(merge) = self.merge {
            builder = builder.merge(merge);
        }
        if let Some(on) = self.t_point_combination {
            builder = builder.t_point_combination(on);
        }
        builder.build()
    }
}

fn changed(
    base: Integration,
    solver: Option<Solver>,
    time: Option<f32>,
    steps: Option<usize>,
) -> Integration {
    Integration {
        solver: solver.unwrap_or(base.solver),
        time: time.unwrap_or(base.time),
        steps: steps.unwrap_or(base.steps),
    }
}
