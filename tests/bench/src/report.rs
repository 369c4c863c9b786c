//! Tables of medians, with ratios and targets.

use crate::cloud::Run;
use serde::Serialize;
use std::fmt::Write;

/// A figure and what it must be.
#[derive(Clone, Debug, Serialize)]
pub struct Target {
    pub what: String,
    pub value: f64,
    pub at_most: f64,
}

impl Target {
    pub fn met(&self) -> bool {
        self.value <= self.at_most
    }
}

/// All runs of one side.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    pub name: String,
    pub runs: Vec<Run>,
}

/// One benchmark.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Benchmark {
    pub title: String,
    pub sides: Vec<Side>,
    pub targets: Vec<Target>,
    pub notes: Vec<String>,
    /// Why it could not be run.
    pub failed: Option<String>,
}

impl Benchmark {
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            ..Self::default()
        }
    }

    /// Adds a run to a side.
    pub fn add(&mut self, side: &str, run: Run) {
        match self.sides.iter_mut().find(|known| known.name == side) {
            Some(known) => known.runs.push(run),
            None => self.sides.push(Side {
                name: side.into(),
                runs: vec![run],
            }),
        }
    }

    /// The median of a figure of a side.
    pub fn median(&self, side: &str, figure: impl Fn(&Run) -> f64) -> f64 {
        let side = self.sides.iter().find(|known| known.name == side);
        median(side.map_or_else(Vec::new, |side| side.runs.iter().map(figure).collect()))
    }

    /// The median of a figure that the job tells of itself, as in `/first_byte/p95`.
    pub fn told(&self, side: &str, pointer: &str) -> f64 {
        self.median(side, |run| {
            let value = run.says.pointer(pointer);
            value
                .and_then(serde_json::Value::as_f64)
                .unwrap_or(f64::NAN)
        })
    }

    pub fn target(&mut self, what: impl Into<String>, value: f64, at_most: f64) {
        self.targets.push(Target {
            what: what.into(),
            value,
            at_most,
        });
    }

    /// A target for the ratio of two sides.
    pub fn ratio_target(
        &mut self,
        what: &str,
        sides: (&str, &str),
        figure: impl Fn(&Run) -> f64,
        at_most: f64,
    ) {
        let value = self.median(sides.0, &figure) / self.median(sides.1, &figure);
        self.target(what, value, at_most);
    }

    /// The least of a figure of a side. What else runs on the machine only adds to it.
    pub fn least(&self, side: &str, figure: impl Fn(&Run) -> f64) -> f64 {
        let side = self.sides.iter().find(|known| known.name == side);
        let figures = side.map_or_else(Vec::new, |side| side.runs.iter().map(figure).collect());
        figures.into_iter().reduce(f64::min).unwrap_or(f64::NAN)
    }

    /// A target for the ratio of the best rounds of two sides.
    pub fn best_target(
        &mut self,
        what: &str,
        sides: (&str, &str),
        figure: impl Fn(&Run) -> f64,
        at_most: f64,
    ) {
        let value = self.least(sides.0, &figure) / self.least(sides.1, &figure);
        let what = format!("{what}, {} ÷ {}, best of each", sides.0, sides.1);
        self.target(what, value, at_most);
    }

    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// As Markdown.
    pub fn table(&self) -> String {
        let mut text = format!("**{}**\n\n", self.title);
        if let Some(why) = &self.failed {
            let _ = writeln!(text, "FAILED: {why}\n");
        }
        if !self.sides.is_empty() {
            text.push_str("| median | wall s | CPU s | peak MiB | requests | content MiB | wire MiB |\n|---|--:|--:|--:|--:|--:|--:|\n");
        }
        let reference = self
            .sides
            .iter()
            .find(|side| side.name.starts_with("rclone"));
        for side in &self.sides {
            let figures = FIGURES.map(|figure| self.median(&side.name, figure));
            let _ = writeln!(text, "| {} |{}", side.name, cells(&figures, false));
        }
        if let Some(reference) = reference {
            for side in self.sides.iter().filter(|side| side.name != reference.name) {
                let ratios = FIGURES.map(|figure| {
                    self.median(&side.name, figure) / self.median(&reference.name, figure)
                });
                let _ = writeln!(
                    text,
                    "| *{} ÷ {}* |{}",
                    side.name,
                    reference.name,
                    cells(&ratios, true)
                );
            }
        }
        text.push('\n');
        for target in &self.targets {
            let verdict = if target.met() { "ok" } else { "**MISSED**" };
            let _ = writeln!(
                text,
                "- {}: {:.3}, at most {} — {verdict}",
                target.what, target.value, target.at_most
            );
        }
        for note in &self.notes {
            let _ = writeln!(text, "- {note}");
        }
        text
    }
}

const FIGURES: [fn(&Run) -> f64; 6] = [
    |run| run.took.wall_s,
    |run| run.took.cpu_s,
    |run| run.took.peak_mib,
    |run| run.requests as f64,
    |run| run.content_mib,
    |run| run.wire_mib,
];

fn cells(figures: &[f64], ratios: bool) -> String {
    let mut text = String::new();
    for (column, figure) in figures.iter().enumerate() {
        let _ = match column {
            _ if !figure.is_finite() => write!(text, " |"),
            _ if ratios => write!(text, " {figure:.2} |"),
            0 | 1 => write!(text, " {figure:.2} |"),
            3 => write!(text, " {figure:.0} |"),
            _ => write!(text, " {figure:.1} |"),
        };
    }
    text
}

/// The median; NaN of nothing, so that no target is met by it.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => figures[middle],
        _ => f64::midpoint(figures[middle - 1], figures[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_without_runs_is_missed() {
        let mut bench = Benchmark::new("nothing");
        bench.ratio_target("wall", ("lomme", "rclone"), |run| run.took.wall_s, 1.0);
        assert!(!bench.targets[0].met());
        assert!(bench.table().contains("MISSED"));
    }

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        assert_eq!(median(vec![9.0, 1.0, 5.0]), 5.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 9.0]), 3.0);
    }
}
