//! Side-by-side benchmark of whole processes: `formwork` and, where it is on the path, `terraform`.
//!
//! `cargo bench --bench scale -- --sizes 100,1000` writes factories of those sizes to a temporary
//! folder and runs plan, apply and the plan of what is unchanged, the two tools in turn. It prints
//! medians, ratios, peak memory and the exponent by which time grows.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark reports on the terminal")]

mod factory;
mod process;
mod report;
mod tool;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use factory::{Factory, Kind, Shape};
use report::{Measurement, Report};
use tool::Tool;

/// Measures plan, apply and unchanged plan of generated factories, beside Terraform.
#[derive(Parser)]
#[command(name = "scale")]
struct Arguments {
    /// How many resources each factory has
    #[arg(long, value_delimiter = ',', default_values_t = [100, 1000])]
    sizes: Vec<usize>,
    /// How resources depend on each other
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = [Shape::Wide, Shape::Chained, Shape::Layered])]
    shapes: Vec<Shape>,
    /// What the resources are; those of the sandbox are not run with Terraform
    #[arg(long, value_enum, default_value_t = Kind::TerraformData)]
    resources: Kind,
    /// How often each factory is built from nothing; medians are reported
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// The binary to measure
    #[arg(long, default_value = env!("CARGO_BIN_EXE_formwork"))]
    formwork: PathBuf,
    /// The binary to compare with; left out where it does not start
    #[arg(long, default_value = "terraform")]
    terraform: PathBuf,
    /// The largest factory that Terraform is run on: 5,000 resources take it a quarter of an hour
    #[arg(long, default_value_t = 1000)]
    terraform_up_to: usize,
    /// The folder of plugins for `--resources null`, in the layout of an unpacked filesystem mirror
    #[arg(long, env = "FORMWORK_TEST_PROVIDERS")]
    providers: Option<PathBuf>,
    /// Writes the table into this file, between its `scale` marks, or `plugins` for those of a plugin
    #[arg(long)]
    markdown: Option<PathBuf>,
    /// What `cargo bench` passes
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("scale: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    if arguments.resources == Kind::Null && arguments.providers.is_none() {
        return Err("name the folder of plugins with --providers; `.ci/providers` fills one".into());
    }
    let formwork = Tool::formwork(&arguments.formwork, arguments.providers.as_deref())?;
    let terraform = match Tool::terraform(&arguments.terraform, arguments.providers.as_deref()) {
        Ok(tool) => Some(tool),
        Err(problem) => {
            eprintln!("scale: without Terraform: {problem}");
            None
        }
    };
    let mut report = Report::new(formwork.version(), terraform.as_ref().map(Tool::version));
    let mut sizes = arguments.sizes.clone();
    sizes.sort_unstable();
    for shape in &arguments.shapes {
        for size in &sizes {
            let factory = Factory { shape: *shape, kind: arguments.resources, size: *size };
            let other = terraform
                .as_ref()
                .filter(|_| arguments.resources.is_terraforms() && *size <= arguments.terraform_up_to);
            for _ in 0..arguments.runs.max(1) {
                for tool in [Some(&formwork), other].into_iter().flatten() {
                    measure(tool, &factory, &mut report)?;
                }
            }
            println!("{}", report.progress(*shape, *size));
        }
    }
    println!("\n{report}");
    match &arguments.markdown {
        Some(path) => write_markdown(path, arguments.resources.mark(), &report.to_string()),
        None => Ok(()),
    }
}

/// Builds the factory once, from nothing, in a folder of its own.
fn measure(tool: &Tool, factory: &Factory, report: &mut Report) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| format!("a temporary folder: {error}"))?;
    factory.write(folder.path()).map_err(|error| format!("writing the factory: {error}"))?;
    tool.prepare(folder.path())?;
    for command in tool::COMMANDS {
        let usage = tool.run(command, folder.path())?;
        report.add(Measurement { tool: tool.name(), shape: factory.shape, size: factory.size, command, usage });
    }
    Ok(())
}

/// Replaces what stands between the marks; a file without them gets them at its end.
fn write_markdown(path: &PathBuf, mark: &str, table: &str) -> Result<(), String> {
    let (begin, end) = (format!("<!-- {mark}: begin -->"), format!("<!-- {mark}: end -->"));
    let told = |error: std::io::Error| format!("`{}`: {error}", path.display());
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(told(error)),
    };
    let (before, after) = match text.split_once(&begin) {
        Some((before, rest)) => (before, rest.split_once(&end).map_or("\n", |(_, after)| after)),
        None => (text.as_str(), "\n"),
    };
    fs::write(path, format!("{before}{begin}\n{table}{end}{after}")).map_err(told)
}
