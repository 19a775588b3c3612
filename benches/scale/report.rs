//! Medians, ratios and growth, as a Markdown table that reads well in a terminal too.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::thread;
use std::time::Duration;

use crate::factory::Shape;
use crate::process::Usage;
use crate::tool::COMMANDS;

pub(crate) struct Measurement {
    pub(crate) tool: &'static str,
    pub(crate) shape: Shape,
    pub(crate) size: usize,
    pub(crate) command: &'static str,
    pub(crate) usage: Usage,
}

pub(crate) struct Report {
    formwork: String,
    terraform: Option<String>,
    measurements: Vec<Measurement>,
}

/// The medians of one row's runs with one tool.
#[derive(Clone, Copy)]
struct Cell {
    seconds: f64,
    peak_megabytes: Option<f64>,
}

impl Report {
    pub(crate) fn new(formwork: &str, terraform: Option<&str>) -> Self {
        Self { formwork: formwork.to_owned(), terraform: terraform.map(str::to_owned), measurements: Vec::new() }
    }

    pub(crate) fn add(&mut self, measurement: Measurement) {
        self.measurements.push(measurement);
    }

    /// One line for a factory that was just measured.
    pub(crate) fn progress(&self, shape: Shape, size: usize) -> String {
        let mut line = format!("{} {size}:", shape.name());
        for (at, command) in COMMANDS.into_iter().enumerate() {
            let cell = |tool| self.cell(tool, shape, size, command);
            line.push_str(if at == 0 { " " } else { ", " });
            line.push_str(&format!("{command} {}", seconds(cell("formwork"))));
            if let Some(other) = cell("terraform") {
                line.push_str(&format!(" (terraform {})", seconds(Some(other))));
            }
        }
        line
    }

    fn cell(&self, tool: &str, shape: Shape, size: usize, command: &str) -> Option<Cell> {
        let usages: Vec<Usage> = self
            .measurements
            .iter()
            .filter(|one| one.tool == tool && one.shape == shape && one.size == size && one.command == command)
            .map(|one| one.usage)
            .collect();
        let walls = usages.iter().map(|usage| usage.wall.as_secs_f64()).collect();
        let peaks = usages.iter().filter_map(|usage| usage.peak_bytes).map(|bytes| bytes as f64 / 1e6).collect();
        Some(Cell { seconds: median(walls)?, peak_megabytes: median(peaks) })
    }

    /// Sizes of each shape in the order in which they were measured.
    fn rows(&self) -> Vec<(Shape, usize)> {
        let mut rows = Vec::new();
        for one in &self.measurements {
            if !rows.contains(&(one.shape, one.size)) {
                rows.push((one.shape, one.size));
            }
        }
        rows
    }

    /// By tool, shape and command: the exponent of time in size, where two sizes or more were measured.
    fn growth(&self, tool: &str, shape: Shape, command: &str) -> Option<f64> {
        let points: BTreeMap<usize, f64> = self
            .rows()
            .into_iter()
            .filter(|(row, _)| *row == shape)
            .filter_map(|(_, size)| Some((size, self.cell(tool, shape, size, command)?.seconds)))
            .collect();
        slope(&points.into_iter().map(|(size, seconds)| ((size as f64).ln(), seconds.ln())).collect::<Vec<_>>())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}; {}.", self.formwork, self.terraform.as_deref().unwrap_or("no Terraform"))?;
        writeln!(f, "{}.\n", machine())?;
        writeln!(f, "| factory | resources | command | formwork | memory | terraform | memory | times faster |")?;
        writeln!(f, "|---|--:|---|--:|--:|--:|--:|--:|")?;
        let rows = self.rows();
        for (shape, size) in &rows {
            for command in COMMANDS {
                let ours = self.cell("formwork", *shape, *size, command);
                let theirs = self.cell("terraform", *shape, *size, command);
                let ratio = ours
                    .zip(theirs)
                    .map_or_else(String::new, |(ours, theirs)| format!("{:.1}", theirs.seconds / ours.seconds));
                writeln!(
                    f,
                    "| {} | {size} | {command} | {} | {} | {} | {} | {ratio} |",
                    shape.name(),
                    seconds(ours),
                    megabytes(ours),
                    seconds(theirs),
                    megabytes(theirs)
                )?;
            }
        }
        if rows.iter().all(|(_, size)| rows.first().is_some_and(|(_, first)| size == first)) {
            return Ok(());
        }
        let mut shapes: Vec<Shape> = rows.iter().map(|(shape, _)| *shape).collect();
        shapes.dedup();
        writeln!(f, "\nHow time grows with the number of resources (1 is linear):\n")?;
        writeln!(f, "| factory | command | formwork | terraform |\n|---|---|--:|--:|")?;
        for shape in shapes {
            for command in COMMANDS {
                let exponent = |tool| self.growth(tool, shape, command).map_or_else(String::new, |n| format!("{n:.2}"));
                let (ours, theirs) = (exponent("formwork"), exponent("terraform"));
                writeln!(f, "| {} | {command} | {ours} | {theirs} |", shape.name())?;
            }
        }
        Ok(())
    }
}

fn seconds(cell: Option<Cell>) -> String {
    cell.map_or_else(String::new, |cell| {
        let wall = Duration::from_secs_f64(cell.seconds);
        if wall < Duration::from_secs(1) { format!("{:.3} s", cell.seconds) } else { format!("{:.2} s", cell.seconds) }
    })
}

fn megabytes(cell: Option<Cell>) -> String {
    cell.and_then(|cell| cell.peak_megabytes).map_or_else(String::new, |peak| format!("{peak:.0} MB"))
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// The slope of the line that fits the points best, by least squares.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let count = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let together: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    (spread > 0.0).then(|| together / spread)
}

/// What it was measured on.
fn machine() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let processor = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    format!("Measured on {cores} cores of {}", processor.as_deref().unwrap_or("an unknown processor"))
}
