//! The waves of a plan as its file keeps them: for people, for tools, and to be found again when it is opened.

use serde::{Deserialize, Serialize};

use crate::plan::release::{Gate, Release, Wave, duration_text};

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct FiledRelease {
    waves: Vec<FiledWave>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    windows: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    freezes: Vec<FiledFreeze>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct FiledWave {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    max_parallel: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    max_unavailable: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    gates: Vec<FiledGate>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct FiledGate {
    name: String,
    kind: String,
    /// What it asks, without what is sensitive.
    what: String,
    attempts: u32,
    interval: String,
    timeout: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct FiledFreeze {
    from: String,
    /// The first moment after it.
    to: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    reason: Option<String>,
}

impl FiledRelease {
    pub(super) fn of(release: &Release) -> Self {
        let freezes = release.calendar.freezes.iter().map(|freeze| FiledFreeze {
            from: freeze.from.to_string(),
            to: freeze.to.to_string(),
            reason: freeze.reason.as_ref().map(ToString::to_string),
        });
        Self {
            waves: release.waves.iter().map(FiledWave::of).collect(),
            windows: release.calendar.windows.iter().map(|window| window.text()).collect(),
            freezes: freezes.collect(),
        }
    }
}

impl FiledWave {
    fn of(wave: &Wave) -> Self {
        Self {
            name: wave.name.to_string(),
            max_parallel: wave.max_parallel,
            max_unavailable: wave.max_unavailable.map(|share| share.to_string()),
            gates: wave.gates.iter().map(FiledGate::of).collect(),
        }
    }
}

impl FiledGate {
    fn of(gate: &Gate) -> Self {
        Self {
            name: gate.name.to_string(),
            kind: gate.check.kind().into(),
            what: gate.what.to_string(),
            attempts: gate.attempts,
            interval: duration_text(gate.interval),
            timeout: duration_text(gate.timeout),
        }
    }
}
