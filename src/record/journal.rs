//! The state machine of a step: which event may follow which.

use std::fmt;

use super::model::StepEventKind;

/// Where a step stands: what last happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StepStatus {
    /// Nothing happened yet.
    Planned,
    /// About to be done, or being done, or interrupted while it was.
    Intended,
    /// It ended without an answer: whether it happened is to be settled.
    Unknown,
    Done,
    /// It did not happen.
    Failed,
    /// A part of it happened.
    Partly,
    /// A look at reality said what stands after an intent without an outcome.
    Settled,
}

/// The action of a step for a deposed key whose object becomes the current one of its address again.
pub(super) const REINSTATE: &str = "reinstate";

/// What a step may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A provider is asked to change something: that must be written down first.
    Reality,
    /// Nothing outside of the record changes (`forget`, `import`, `move`, `reinstate`, `read`, `refresh`): it may be done without an intent.
    RecordOnly,
}

impl Reach {
    /// By the name of the step's action; an action unknown here is taken to reach reality.
    pub fn of_action(action: &str) -> Self {
        match action {
            "forget" | "import" | "move" | REINSTATE | "read" | "refresh" => Self::RecordOnly,
            _ => Self::Reality,
        }
    }
}

/// An event that cannot follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is {status}, so it cannot become {event}")]
pub struct IllegalTransition {
    pub status: StepStatus,
    pub event: StepStatus,
}

impl StepStatus {
    pub const ALL: [Self; 7] =
        [Self::Planned, Self::Intended, Self::Unknown, Self::Done, Self::Failed, Self::Partly, Self::Settled];

    /// Where the step stands after the event.
    ///
    /// | status | may become |
    /// |---|---|
    /// | planned, failed, partly | intended; done, where the step reaches the record only |
    /// | intended, unknown | done, failed, partly, unknown, settled |
    /// | settled | intended (it is to be tried again), done (it had happened) |
    /// | done | nothing |
    ///
    /// # Errors
    /// The event cannot follow.
    pub fn next(self, reach: Reach, event: &StepEventKind) -> Result<Self, IllegalTransition> {
        let event = Self::after(event);
        let legal = match self {
            Self::Planned | Self::Failed | Self::Partly => {
                event == Self::Intended || (event == Self::Done && reach == Reach::RecordOnly)
            }
            Self::Intended | Self::Unknown => !matches!(event, Self::Planned | Self::Intended),
            Self::Settled => matches!(event, Self::Intended | Self::Done),
            Self::Done => false,
        };
        if legal { Ok(event) } else { Err(IllegalTransition { status: self, event }) }
    }

    /// Whether an intent waits for its outcome.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Intended | Self::Unknown)
    }

    /// The status that an event leads to, where it is legal.
    pub(super) fn after(event: &StepEventKind) -> Self {
        match event {
            StepEventKind::Intended { .. } => Self::Intended,
            StepEventKind::Done { .. } => Self::Done,
            StepEventKind::Failed { .. } => Self::Failed,
            StepEventKind::Partly { .. } => Self::Partly,
            StepEventKind::Unknown { .. } => Self::Unknown,
            StepEventKind::Settled { .. } => Self::Settled,
        }
    }

    /// As it is kept in the file, and said.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Intended => "intended",
            Self::Unknown => "unknown",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Partly => "partly",
            Self::Settled => "settled",
        }
    }
}

impl fmt::Display for StepStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events() -> [StepEventKind; 6] {
        let resource = Box::new(crate::record::testing::resource("a.b", 1));
        [
            StepEventKind::Intended {
                attempt: "1".into(),
                provider: "p".into(),
                source: "h/n/p".into(),
                prior: None,
                planned: None,
                private: [].into(),
                meta: None,
            },
            StepEventKind::Unknown { message: "".into() },
            StepEventKind::Done { resource: None, from: None },
            StepEventKind::Failed { message: "".into() },
            StepEventKind::Partly { resource, message: "".into() },
            StepEventKind::Settled { resource: None },
        ]
    }

    /// Every status against every event and both reaches, as a table: `i u d f p s`, upper case where it is illegal.
    #[test]
    fn every_transition_is_decided() {
        for (status, reality, record_only) in [
            (StepStatus::Planned, "iUDFPS", "iUdFPS"),
            (StepStatus::Intended, "Iudfps", "Iudfps"),
            (StepStatus::Unknown, "Iudfps", "Iudfps"),
            (StepStatus::Done, "IUDFPS", "IUDFPS"),
            (StepStatus::Failed, "iUDFPS", "iUdFPS"),
            (StepStatus::Partly, "iUDFPS", "iUdFPS"),
            (StepStatus::Settled, "iUdFPS", "iUdFPS"),
        ] {
            for (reach, expected) in [(Reach::Reality, reality), (Reach::RecordOnly, record_only)] {
                for (event, letter) in events().iter().zip(expected.chars()) {
                    let next = status.next(reach, event);
                    assert_eq!(next.is_ok(), letter.is_lowercase(), "{status} {reach:?} {event:?}");
                    let reached = next.unwrap_or_else(|illegal| illegal.event);
                    assert!(reached.as_str().starts_with(letter.to_ascii_lowercase()), "{status} {event:?}");
                }
            }
        }
    }

    #[test]
    fn an_action_that_is_not_known_needs_an_intent() {
        assert_eq!(Reach::of_action("create"), Reach::Reality);
        assert_eq!(Reach::of_action("surprise"), Reach::Reality);
        assert_eq!(Reach::of_action("move"), Reach::RecordOnly);
    }
}
