//! What waits for what: tokens that stand for work still to be done.
//!
//! A block's instances may be many, and so may those that wait for them. A joint stands between, so that
//! the edges stay as many as the references and not as their product.

use std::collections::HashSet;

/// Something to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Token(u32);

/// Work and the joints between, in an order in which each waits only for earlier ones.
#[derive(Debug, Default)]
pub(super) struct Ordering {
    nodes: Vec<OrderNode>,
}

#[derive(Debug)]
pub(super) struct OrderNode {
    pub after: Vec<Token>,
    /// The change that is carried out here; `None` for a joint.
    pub change: Option<usize>,
}

impl Ordering {
    /// One token for many; nothing to wait for where there are none.
    pub(super) fn joint(&mut self, tokens: impl IntoIterator<Item = Token>) -> Option<Token> {
        let mut seen = HashSet::new();
        let after: Vec<Token> = tokens.into_iter().filter(|token| seen.insert(*token)).collect();
        match after.as_slice() {
            [] => None,
            [only] => Some(*only),
            _ => Some(self.push(OrderNode { after, change: None })),
        }
    }

    /// The work of a change.
    pub(super) fn change(&mut self, change: usize, after: Option<Token>) -> Token {
        self.push(OrderNode { after: after.into_iter().collect(), change: Some(change) })
    }

    /// Gives the changes the numbers that they have in another order.
    pub(super) fn renumber(&mut self, numbers: &[usize]) {
        for node in &mut self.nodes {
            node.change = node.change.map(|change| numbers[change]);
        }
    }

    pub(super) fn nodes(&self) -> &[OrderNode] {
        &self.nodes
    }

    fn push(&mut self, node: OrderNode) -> Token {
        let token = Token(self.nodes.len() as u32);
        self.nodes.push(node);
        token
    }
}

impl Token {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}
