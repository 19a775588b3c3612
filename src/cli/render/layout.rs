//! Places for the nodes of a graph, in columns: what is depended on stands left of what depends on it.
//!
//! The layered method of Sugiyama: a column for each node by its longest way, helpers where an edge
//! passes a column, order within columns by the average place of neighbours, then heights.

/// Where nodes stand. Units are pixels; `x` and `y` are of a node's left middle.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    pub places: Vec<Point>,
    /// For each edge the points that it passes, its ends not included.
    pub bends: Vec<Vec<Point>>,
    pub width: f64,
    pub height: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

const COLUMN_GAP: f64 = 60.0;
const MARGIN: f64 = 20.0;
const SWEEPS: usize = 8;
/// With more helpers than this, edges go straight: the picture is beyond reading anyway.
const MAX_HELPERS: usize = 50_000;

/// `widths` holds each node's width, `row` the height that a node needs; an edge `(a, b)` says that `a`
/// depends on `b`. Edges within a cycle may lead backwards.
pub fn layout(widths: &[f64], row: f64, edges: &[(usize, usize)]) -> Layout {
    let columns_of = columns(widths.len(), edges);
    let mut net = Net::new(&columns_of, edges);
    net.order();
    let heights = net.heights(row);
    let column_count = columns_of.iter().max().map_or(0, |last| last + 1);
    let mut column_widths = vec![0.0_f64; column_count];
    for (node, column) in columns_of.iter().enumerate() {
        column_widths[*column] = column_widths[*column].max(widths[node]);
    }
    let mut x = MARGIN;
    let mut lefts = Vec::with_capacity(column_count);
    for width in &column_widths {
        lefts.push(x);
        x += width + COLUMN_GAP;
    }
    let point = |node: usize| Point { x: lefts[net.column[node]], y: MARGIN + heights[node] };
    let bends = net.chains.iter().map(|chain| {
        let through = |helper: &usize| {
            let left = point(*helper);
            [left, Point { x: left.x + column_widths[net.column[*helper]], y: left.y }]
        };
        chain.iter().flat_map(through).collect()
    });
    let bottom = heights.iter().fold(0.0_f64, |bottom, height| bottom.max(*height));
    Layout {
        places: (0..widths.len()).map(point).collect(),
        bends: bends.collect(),
        width: x - COLUMN_GAP + MARGIN,
        height: bottom + row / 2.0 + 2.0 * MARGIN,
    }
}

/// The length of the longest way from each node down to one that depends on nothing.
fn columns(nodes: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut dependents = vec![Vec::new(); nodes];
    let mut waiting_for = vec![0_usize; nodes];
    for (from, to) in edges {
        dependents[*to].push(*from);
        waiting_for[*from] += 1;
    }
    let mut columns = vec![0; nodes];
    let mut ready: Vec<usize> = (0..nodes).filter(|node| waiting_for[*node] == 0).collect();
    while let Some(node) = ready.pop() {
        for dependent in &dependents[node] {
            columns[*dependent] = columns[*dependent].max(columns[node] + 1);
            waiting_for[*dependent] -= 1;
            if waiting_for[*dependent] == 0 {
                ready.push(*dependent);
            }
        }
    }
    columns
}

/// Nodes and helpers, with edges only between neighbouring columns.
struct Net {
    column: Vec<usize>,
    left: Vec<Vec<usize>>,
    right: Vec<Vec<usize>>,
    /// For each edge its helpers, from the dependency to the dependent.
    chains: Vec<Vec<usize>>,
    /// For each column its nodes, from the top.
    order: Vec<Vec<usize>>,
}

impl Net {
    fn new(columns: &[usize], edges: &[(usize, usize)]) -> Self {
        let mut column = columns.to_vec();
        let spans = edges.iter().map(|(from, to)| columns[*from].saturating_sub(columns[*to] + 1));
        let with_helpers = spans.sum::<usize>() <= MAX_HELPERS;
        let mut links = Vec::with_capacity(edges.len());
        let mut chains = Vec::with_capacity(edges.len());
        for (from, to) in edges {
            let mut chain = Vec::new();
            let mut last = *to;
            if with_helpers {
                for between in columns[*to] + 1..columns[*from].max(columns[*to] + 1) {
                    column.push(between);
                    let helper = column.len() - 1;
                    links.push((last, helper));
                    chain.push(helper);
                    last = helper;
                }
            }
            links.push((last, *from));
            chains.push(chain);
        }
        let mut left = vec![Vec::new(); column.len()];
        let mut right = vec![Vec::new(); column.len()];
        for (near, far) in links {
            right[near].push(far);
            left[far].push(near);
        }
        let mut order = vec![Vec::new(); column.iter().max().map_or(0, |last| last + 1)];
        for (node, column) in column.iter().enumerate() {
            order[*column].push(node);
        }
        Self { column, left, right, chains, order }
    }

    /// Sorts each column by where its neighbours stand, from the left and from the right in turn.
    fn order(&mut self) {
        let mut position = vec![0.0; self.column.len()];
        let settle = |column: &[usize], position: &mut Vec<f64>| {
            for (place, node) in column.iter().enumerate() {
                position[*node] = place as f64;
            }
        };
        for column in &self.order {
            settle(column, &mut position);
        }
        for sweep in 0..SWEEPS {
            let from_left = sweep % 2 == 0;
            for step in 0..self.order.len() {
                let at = if from_left { step } else { self.order.len() - 1 - step };
                let neighbours = if from_left { &self.left } else { &self.right };
                let mut keyed: Vec<(f64, usize)> = self.order[at]
                    .iter()
                    .map(|node| (average(&neighbours[*node], &position).unwrap_or(position[*node]), *node))
                    .collect();
                keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
                self.order[at] = keyed.into_iter().map(|(_, node)| node).collect();
                settle(&self.order[at], &mut position);
            }
        }
    }

    /// Heights within each column: near the neighbours, in order, and never closer than a row.
    fn heights(&self, row: f64) -> Vec<f64> {
        let mut heights = vec![0.0; self.column.len()];
        for column in &self.order {
            for (place, node) in column.iter().enumerate() {
                heights[*node] = place as f64 * row;
            }
        }
        for sweep in 0..SWEEPS {
            let neighbours = if sweep % 2 == 0 { &self.left } else { &self.right };
            for column in &self.order {
                let wanted: Vec<f64> =
                    column.iter().map(|node| average(&neighbours[*node], &heights).unwrap_or(heights[*node])).collect();
                for (node, height) in column.iter().zip(spaced(&wanted, row)) {
                    heights[*node] = height;
                }
            }
        }
        let top = heights.iter().fold(f64::INFINITY, |top, height| top.min(*height));
        heights.iter().map(|height| height - top + row / 2.0).collect()
    }
}

/// Heights as near to the wanted ones as order and distance allow: half pushed down, half pushed up.
fn spaced(wanted: &[f64], row: f64) -> Vec<f64> {
    let mut down = wanted.to_vec();
    for place in 1..down.len() {
        down[place] = down[place].max(down[place - 1] + row);
    }
    let mut up = wanted.to_vec();
    for place in (1..up.len()).rev() {
        up[place - 1] = up[place - 1].min(up[place] - row);
    }
    down.iter().zip(up).map(|(down, up)| f64::midpoint(*down, up)).collect()
}

fn average(nodes: &[usize], of: &[f64]) -> Option<f64> {
    if nodes.is_empty() {
        return None;
    }
    Some(nodes.iter().map(|node| of[*node]).sum::<f64>() / nodes.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_depended_on_stands_left() {
        let layout = layout(&[50.0; 3], 30.0, &[(0, 1), (1, 2), (0, 2)]);
        let x: Vec<f64> = layout.places.iter().map(|place| place.x).collect();
        assert!(x[2] < x[1] && x[1] < x[0]);
        assert_eq!(layout.bends.iter().map(Vec::len).collect::<Vec<_>>(), [0, 0, 2]);
    }

    proptest! {
        #[test]
        fn no_two_nodes_overlap(edges in prop::collection::vec((0usize..12, 0usize..12), 0..30)) {
            let layout = layout(&[50.0; 12], 30.0, &edges);
            for (index, a) in layout.places.iter().enumerate() {
                prop_assert!(a.x >= 0.0 && a.x + 50.0 <= layout.width && a.y >= 0.0 && a.y <= layout.height);
                for b in &layout.places[index + 1..] {
                    prop_assert!(a.x != b.x || (a.y - b.y).abs() > 29.9, "{:?} {:?}", a, b);
                }
            }
        }
    }
}
