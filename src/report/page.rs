//! The report as one HTML page that needs nothing else.

use anyhow::Result;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Report, section::Section, study::StudySection, table::Table, tile};
use crate::tasks::example::{Image, Images};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// Methods beside each other in an example.
const MOST_EXAMPLES: usize = 8;

impl Report {
    /// `report.html`.
    pub(super) fn page(&self) -> Result<String> {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title()) }
                    link rel="icon" href="data:,";
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    h1 { (self.title()) }
                    @for warning in &self.warnings { p.warning { strong { "Warning: " } (warning) } }
                    @for section in &self.experiments { (experiment(section, self.experiments.len() > 1)) }
                    @for section in &self.studies { (study(section)) }
                    @if let Some(protocol) = self.protocol() { h2 { "Protocol" } (facts(&protocol)) }
                    @for section in &self.experiments { (repeat(section)) }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        Ok(page.into_string())
    }
}

fn experiment(section: &Section, several: bool) -> Markup {
    html! {
        section id=(section.name) {
            @if several { h2 { (section.name) } }
            p.asked { (section.asked) }
            @for warning in &section.warnings { p.warning { strong { "Warning: " } (warning) } }
            h2 { "Results" }
            @let (found, also_found) = (section.found(), section.also_found());
            @if !found.is_empty() { ul { @for line in &found { li { (line) } } } }
            @if !also_found.is_empty() {
                details {
                    summary { "The other pairs" }
                    ul { @for line in &also_found { li { (line) } } }
                }
            }
            @for table in &section.tables() { (numbers(table)) }
            h2 { "Figures" }
            p.screen { "Point at a curve to read its values; click on a name to switch a method off and on." }
            @for figure in &section.figures { (drawing(&figure.svg, &figure.caption)) }
            @if !section.teacher.is_empty() {
                h2 { "What a teacher sees" }
                @for view in &section.teacher { h3 { (view.heading) } p { (view.text) } (numbers(&view.table.shown)) }
            }
            @if let Some((_, _, first)) = section.examples.first() {
                h2 { "An example" }
                (example(first, &section.examples))
            }
        }
    }
}

fn study(section: &StudySection) -> Markup {
    html! {
        section id=(section.name) {
            h2 { "Study " (section.name) }
            p { (section.found) }
            (numbers(&section.table))
            @for (_, caption, svg) in &section.figures { (drawing(svg, caption)) }
            details { summary { "The sweep" } pre { (section.yaml) } }
        }
    }
}

fn drawing(svg: &str, caption: &str) -> Markup {
    html! { figure { (PreEscaped(svg)) figcaption { (caption) } } }
}

fn numbers(table: &Table) -> Markup {
    html! {
        div.wide { (cells(table)) }
        p.caption { (table.caption) }
    }
}

fn facts(table: &Table) -> Markup {
    html! { div.wide.facts { (cells(table)) } }
}

fn cells(table: &Table) -> Markup {
    html! {
        table {
            thead { tr { @for cell in &table.header { th scope="col" { (cell) } } } }
            tbody { @for row in &table.rows { tr { @for cell in row { td { (cell) } } } } }
        }
    }
}

/// The first test episode: its support set, and what methods answered before and after adaptation.
fn example(first: &Images, methods: &[(String, usize, Images)]) -> Markup {
    let methods = &methods[..methods.len().min(MOST_EXAMPLES)];
    let class = |label: usize| first.classes.get(label).map_or("?", String::as_str);
    let image = |image: &Image| {
        let address = tile::address(&image.pixels, first.height, first.width).unwrap_or_default();
        html! { img.tile src=(address) alt=(class(image.label)); }
    };
    let verdict = |example: &Images, step: usize, query: usize| {
        let label = example.answers.get(step).and_then(|answers| answers.get(query)).copied();
        let right = label == first.queries.get(query).map(|image| image.label);
        let text = label.map_or("?", class);
        html! { span class=(if right { "right" } else { "wrong" }) { (text) (if right { " ✓" } else { " ✗" }) } }
    };
    html! {
        p { "The first test episode. Each method saw only these labelled images:" }
        div.support {
            @for (label, name) in first.classes.iter().enumerate() {
                span { strong { (name) } " " @for support in first.support.iter().filter(|image| image.label == label) { (image(support)) } }
            }
        }
        p { "and was asked what these are; its answer before and after adaptation:" }
        div.wide {
            table {
                thead { tr { th scope="col" { "query" } @for (name, step, example) in methods {
                    th scope="col" { (name) br; small { "0 → " (example.steps.get(*step).copied().unwrap_or(0)) " steps" } } } } }
                tbody { @for (query, shown) in first.queries.iter().enumerate() {
                    tr { td { (image(shown)) " " (class(shown.label)) } @for (_, step, example) in methods {
                        td { (verdict(example, 0, query)) " → " (verdict(example, *step, query)) } } }
                } }
            }
        }
    }
}

fn repeat(section: &Section) -> Markup {
    html! {
        section {
            h2 { "To repeat " (section.name) }
            div.wide.facts { table { tbody {
                tr { td { "results" } td { (section.folder) } }
                @for (what, value) in &section.surroundings { tr { td { (what) } td { (value) } } }
            } } }
            @if let Some(command) = &section.command { p { "The command:" } pre { (command) } }
            details { summary { "The complete configuration" } pre { (section.yaml) } }
        }
    }
}
