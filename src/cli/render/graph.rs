//! What depends on what: as text for Graphviz, and as a picture that needs no Graphviz.

use std::fmt::Write as _;

use super::layout::{Point, layout};

/// Resources by address, and pairs of indices: the first depends on the second.
#[derive(Clone, Copy, Debug)]
pub struct GraphText<'a> {
    pub nodes: &'a [String],
    pub edges: &'a [(usize, usize)],
}

/// In the language of Graphviz, as `terraform graph` writes it.
pub fn dot(graph: GraphText<'_>) -> String {
    let mut out = String::from("digraph G {\n  rankdir = \"RL\";\n  node [shape = rect, fontname = \"sans-serif\"];\n");
    for node in graph.nodes {
        let _ = writeln!(out, "  {};", quoted(node));
    }
    for (from, to) in graph.edges {
        if let (Some(from), Some(to)) = (graph.nodes.get(*from), graph.nodes.get(*to)) {
            let _ = writeln!(out, "  {} -> {};", quoted(from), quoted(to));
        }
    }
    out.push_str("}\n");
    out
}

const ROW: f64 = 54.0;
const BOX: f64 = 40.0;
const CHARACTER: f64 = 7.3;

/// The module or component that a node stands in, and the node's name within it.
fn divided(node: &str) -> (&str, &str) {
    let is_outer = |rest: &str| rest.starts_with("module.") || rest.starts_with("component.");
    let mut inner = node;
    while is_outer(inner) {
        let parts = if inner.starts_with("module.") { 2 } else { 3 };
        match inner.match_indices('.').nth(parts - 1) {
            Some((dot, _)) => inner = &inner[dot + 1..],
            None => break,
        }
    }
    (node[..node.len() - inner.len()].trim_end_matches('.'), inner)
}

/// As a picture in SVG: dependencies on the left, arrows from what depends to what it depends on.
pub fn svg(graph: GraphText<'_>) -> String {
    let edges: Vec<(usize, usize)> = graph
        .edges
        .iter()
        .copied()
        .filter(|(from, to)| from != to && *from < graph.nodes.len() && *to < graph.nodes.len())
        .collect();
    let width = |node: &String| {
        let (module, name) = divided(node);
        module.chars().count().max(name.chars().count()) as f64 * CHARACTER + 20.0
    };
    let widths: Vec<f64> = graph.nodes.iter().map(width).collect();
    let layout = layout(&widths, ROW, &edges);
    let mut out = String::new();
    let (width, height) = (layout.width.max(1.0), layout.height.max(1.0));
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"monospace\" font-size=\"12\">\n\
         <style>.n{{fill:#f6f8fa;stroke:#57606a}} .e{{fill:none;stroke:#8c959f}} text{{fill:#24292f}} .m{{fill:#6e7781}}\n\
         @media(prefers-color-scheme:dark){{.n{{fill:#161b22;stroke:#8b949e}} text{{fill:#e6edf3}}}}</style>\n\
         <defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#8c959f\"/></marker></defs>"
    );
    for ((from, to), bends) in edges.iter().zip(&layout.bends) {
        let end = Point { x: layout.places[*to].x + widths[*to], y: layout.places[*to].y };
        let points = std::iter::once(&layout.places[*from]).chain(bends.iter().rev()).chain([&end]);
        let _ = writeln!(out, "<path class=\"e\" d=\"{}\" marker-end=\"url(#a)\"/>", curve(points));
    }
    for ((node, place), width) in graph.nodes.iter().zip(&layout.places).zip(&widths) {
        let (module, name) = divided(node);
        let (left, middle, top) = (place.x + 10.0, place.y + 4.0, place.y - BOX / 2.0);
        let _ = write!(
            out,
            "<g><title>{}</title><rect class=\"n\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" \
             height=\"{BOX}\" rx=\"4\"/>",
            escaped(node),
            place.x
        );
        let below = if module.is_empty() { 0.0 } else { 8.0 };
        if !module.is_empty() {
            let above = middle - 8.0;
            let module = escaped(module);
            let _ = write!(out, "<text class=\"m\" x=\"{left:.1}\" y=\"{above:.1}\">{module}</text>");
        }
        let _ = writeln!(out, "<text x=\"{left:.1}\" y=\"{:.1}\">{}</text></g>", middle + below, escaped(name));
    }
    out.push_str("</svg>\n");
    out
}

/// A smooth line that leaves and arrives level.
fn curve<'a>(mut points: impl Iterator<Item = &'a Point>) -> String {
    let mut path = String::new();
    let Some(mut last) = points.next() else { return path };
    let _ = write!(path, "M{:.1} {:.1}", last.x, last.y);
    for point in points {
        let middle = f64::midpoint(last.x, point.x);
        let _ = write!(path, "C{middle:.1} {:.1} {middle:.1} {:.1} {:.1} {:.1}", last.y, point.y, point.x, point.y);
        last = point;
    }
    path
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes() -> Vec<String> {
        vec!["a.network".into(), "module.m[\"<x>\"].a.machine".into()]
    }

    #[test]
    fn dot_quotes_what_addresses_may_hold() {
        let nodes = nodes();
        let text = dot(GraphText { nodes: &nodes, edges: &[(1, 0)] });
        assert!(text.contains(r#""module.m[\"<x>\"].a.machine" -> "a.network";"#), "{text}");
    }

    #[test]
    fn svg_shows_each_node_and_edge_once() {
        let nodes = nodes();
        let text = svg(GraphText { nodes: &nodes, edges: &[(1, 0), (1, 1), (7, 0)] });
        assert_eq!(text.matches("<rect").count(), 2);
        assert_eq!(text.matches("class=\"e\" d=").count(), 1);
        assert!(text.contains("module.m[&quot;&lt;x&gt;&quot;]<"));
    }

    #[test]
    fn a_node_is_named_within_its_module() {
        assert_eq!(divided("a.b"), ("", "a.b"));
        assert_eq!(divided("component.cluster.main.a.b"), ("component.cluster.main", "a.b"));
        assert_eq!(divided("module.x.module.y.data.a.b"), ("module.x.module.y", "data.a.b"));
    }
}
