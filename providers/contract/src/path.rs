//! Paths into a value: `.network[0].tags["env"]`.

use std::fmt;
use std::sync::Arc;

use crate::Str;

/// Where in a value a part stands. The empty path is the value itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(Option<Arc<Node>>);

#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Node {
    parent: Path,
    step: Step,
}

/// One step of a path. An element of a set is named by its place in the set's order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    Attribute(Str),
    Index(usize),
    Key(Str),
}

impl Path {
    pub fn root() -> Self {
        Self(None)
    }

    /// The path of one attribute of the value itself.
    pub fn attribute(name: impl Into<Str>) -> Self {
        Self::root().join(Step::Attribute(name.into()))
    }

    #[must_use]
    pub fn join(&self, step: Step) -> Self {
        Self(Some(Arc::new(Node { parent: self.clone(), step })))
    }

    pub fn is_root(&self) -> bool {
        self.0.is_none()
    }

    /// From the outermost step inwards.
    pub fn steps(&self) -> Vec<&Step> {
        let mut steps = Vec::new();
        let mut path = self;
        while let Some(node) = &path.0 {
            steps.push(&node.step);
            path = &node.parent;
        }
        steps.reverse();
        steps
    }

    /// Whether this path is `outer` or leads into it.
    pub fn is_within(&self, outer: &Path) -> bool {
        self.steps().starts_with(&outer.steps())
    }
}

impl FromIterator<Step> for Path {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        steps.into_iter().fold(Self::root(), |path, step| path.join(step))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.steps().into_iter().enumerate() {
            match step {
                Step::Attribute(name) if position == 0 => f.write_str(name)?,
                Step::Attribute(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}
