//! The command line.

use std::path::PathBuf;

use bspm::{BspmConfig, Integration, Merge, Preset, Solver};
use clap::{ArgAction, Parser};

/// Every knob of the model starts from the data set's published preset.
///
/// The data comes from --data, else from the data set's folder in $BSPM_DATA, else
/// from the cache folder ($BSPM_CACHE, or bspm in the user's cache folder), else
/// from the public LightGCN copy on GitHub, which is then cached. Where none of
/// them is to be had, generated data of the same shape stands in.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// Folder with train.txt and test.txt
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Use generated data of the data set's shape; results are not comparable
    #[arg(long, conflicts_with_all = ["data", "require_real"])]
    pub(crate) synthetic: bool,
    /// Fail rather than use generated data
    #[arg(long)]
    pub(crate) require_real: bool,

    /// Cut-offs of the metrics
    #[arg(
        long,
        value_name = "K,...",
        value_delimiter = ',',
        default_value = "20"
    )]
    pub(crate) k: Vec<usize>,
    /// Users scored together
    #[arg(long, value_name = "USERS", default_value_t = 2048)]
    pub(crate) batch: usize,
    /// cpu; with the torch feature torch-cpu; with the cuda feature cuda or cuda:N
    #[arg(long)]
    pub(crate) device: Option<String>,
    /// Device memory that the libtorch backend may take
    #[arg(long, value_name = "BYTES")]
    pub(crate) device_memory: Option<usize>,
    /// Threads; 0 or absent means one per core
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// Print one JSON object instead of tables
    #[arg(long)]
    pub(crate) json: bool,

    /// Solver of the blurring process: euler or rk4
    #[arg(long, value_name = "SOLVER")]
    blur_solver: Option<Solver>,
    /// T_b
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    blur_time: Option<f32>,
    /// K_b
    #[arg(long, value_name = "K")]
    blur_steps: Option<usize>,

    /// Solver of the sharpening process: euler or rk4
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
    /// Solver of the ideal low-pass filter: euler or rk4
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

impl Arguments {
    /// The preset with the command line's changes, checked.
    pub(crate) fn config(&self, preset: Preset) -> bspm::Result<BspmConfig> {
        let published = preset.config();
        let mut builder = published.to_builder();

        let blur = changed(
            published.blur(),
            self.blur_solver,
            self.blur_time,
            self.blur_steps,
        );
        builder = builder.blur(blur.solver, blur.time, blur.steps);

        let sharpening = changed(
            published.sharpening().unwrap_or(Integration::UNIT_EULER),
            self.sharpen_solver,
            self.sharpen_time,
            self.sharpen_steps,
        );
        builder = if self.no_sharpen {
            builder.sharpening_off()
        } else {
            builder.sharpen(sharpening.solver, sharpening.time, sharpening.steps)
        };

        let low_pass = published.ideal_low_pass();
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
    published: Integration,
    solver: Option<Solver>,
    time: Option<f32>,
    steps: Option<usize>,
) -> Integration {
    Integration {
        solver: solver.unwrap_or(published.solver),
        time: time.unwrap_or(published.time),
        steps: steps.unwrap_or(published.steps),
    }
}
