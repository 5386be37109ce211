//! `quickstudy report`.

use std::{fs, process::Command};

use crate::{
    sandbox::{Sandbox, csv_files},
    sweeps::SWEEP,
};

/// A finished small experiment.
fn finished() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.experiment(&["--quiet"]).says(0, &[]);
    sandbox
}

const ROWS: &str = "results/small/maml-seed0/evaluation.csv";

#[test]
fn one_page_says_it_all_and_asks_nothing_of_the_network() {
    let sandbox = finished();
    let before = csv_files(&sandbox.path("results/small/maml-seed0"));
    sandbox.run(&["report", "results/small"]).says(0, &[]);
    assert_eq!(before, csv_files(&sandbox.path("results/small/maml-seed0")), "a report reads only");
    let page = sandbox.read("results/small/report.html");
    for part in [
        "<!DOCTYPE html>",
        "Which of maml and adam best solves", // what was asked
        "data-series=\"maml\"",               // figures whose methods can be switched
        "data-points=\"[[",                   // and read
        "adaptation steps",                   // captions
        "data:image/png;base64,",             // the example's images
        "test episodes&#39; SHA-256",         // the protocol
        "quickstudy experiment small.yaml",   // the command
        "dataset:",                           // the configuration
        "1-shot: ",                           // a sentence for each pair
    ] {
        assert!(page.contains(part) || page.contains(&part.replace("&#39;", "'")), "no {part}");
    }
    for forbidden in ["http:", "https:", "url(", "@import"] {
        let page = page.replace("http://www.w3.org/2000/svg", "");
        let found = page.find(forbidden).map(|at| &page[at.saturating_sub(80)..at + 40]);
        assert_eq!(found, None, "the page must need nothing else");
    }
    let markdown = sandbox.read("results/small/report.md");
    assert!(markdown.contains("| method |") && markdown.contains("](figures/adaptation.svg)"), "{markdown}");
    let tex = sandbox.read("results/small/tables/accuracy-1-shot.tex");
    assert!(tex.contains("\\toprule") && tex.contains("$\\pm$") && tex.contains("maml & "), "{tex}");
    let csv = sandbox.read("results/small/tables/comparison-1-shot.csv");
    assert!(csv.starts_with("pair,difference") && csv.contains("maml - adam"), "{csv}");
    let first = fs::read(sandbox.path("results/small/report.html")).expect("a page");
    sandbox.run(&["report", "results/small", "--quiet"]).says(0, &[]);
    assert!(
        first == fs::read(sandbox.path("results/small/report.html")).expect("a page"),
        "not the same bytes"
    );
}

#[test]
fn a_damaged_line_is_named_and_left_out_only_when_told_so() {
    let sandbox = finished();
    let whole = sandbox.read(ROWS);
    let damaged = whole.replacen("few_shot,1,3,", "few_shot,1,tree,", 1);
    assert_ne!(whole, damaged);
    sandbox.write(ROWS, damaged.as_bytes());
    fs::remove_file(sandbox.path("results/small/report.html")).expect("the experiment wrote one");
    sandbox.run(&["report", "results/small"]).says(1, &["maml-seed0/evaluation.csv", "line: 11"]);
    assert!(!sandbox.path("results/small/report.html").exists());
    sandbox.run(&["report", "results/small", "--skip-damaged"]).says(0, &["left out of", "line: 11"]);
    assert!(sandbox.read("results/small/report.html").contains("left out of results/small/maml-seed0"));
}

#[test]
fn what_is_no_result_or_half_of_one_is_said() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("empty")).expect("made");
    sandbox.run(&["report", "empty"]).says(2, &["empty is no results folder", "config.yaml"]);
    sandbox.run(&["report", "nowhere"]).says(2, &["nowhere"]);
    sandbox.experiment(&["--quiet", "--no-test"]).says(0, &[]);
    sandbox.run(&["report", "results/small"]).says(2, &["no test results yet", "--resume"]);
    sandbox.experiment(&["--quiet", "--resume"]).says(0, &[]);
    fs::remove_file(sandbox.path("results/small/adam-seed1/evaluation.csv")).expect("there");
    sandbox.run(&["report", "results/small"]).says(0, &["1 of 4 runs are not finished", "adam-seed1"]);
}

#[test]
fn mixed_versions_are_warned_of_and_other_episodes_are_not_paired() {
    let sandbox = finished();
    let file = "results/small/adam-seed0/environment.json";
    let environment = sandbox.read(file);
    sandbox.write(file, environment.replace("\"libtorch\": \"", "\"libtorch\": \"1.").as_bytes());
    sandbox.run(&["report", "results/small"]).says(0, &["different values of libtorch"]);
    let hash = environment.split("\"test_episodes_sha256\": \"").nth(1).expect("a hash");
    let other = environment.replace(&hash[..64], &"0".repeat(64));
    sandbox.write(file, other.as_bytes());
    sandbox.run(&["report", "results/small"]).says(0, &["tested on different episodes", "--fresh"]);
    assert!(!sandbox.read("results/small/report.html").contains("Wilcoxon"), "it paired them all the same");
}

#[test]
fn several_results_come_on_one_page_with_a_word_where_protocols_differ() {
    let sandbox = finished();
    sandbox.experiment(&["--quiet", "--set", "name=wide", "--set", "task.ways=2"]).says(0, &[]);
    sandbox.write("rate.yaml", SWEEP.as_bytes());
    sandbox.run(&["sweep", "rate.yaml", "--quiet"]).says(0, &[]);
    let folders = ["results/small", "results/wide", "results/rate"];
    sandbox
        .run(&[&["report"], &folders[..]].concat())
        .says(0, &["small and wide do not follow the same protocol", "ways"]);
    let page = sandbox.read("results/report/report.html");
    for part in
        ["small, wide, rate", "(differs)", "5 trials: 5 trained to the end", "data-series=\"best so far\""]
    {
        assert!(page.contains(part), "no {part}");
    }
    assert!(sandbox.path("results/report/tables/wide-accuracy-1-shot.tex").exists());
    assert!(sandbox.path("results/report/tables/rate-best-trials.csv").exists());
    assert!(page.len() < 2_000_000, "{}", page.len());
}

#[test]
fn folds_are_shown_each_with_its_classes() {
    let sandbox = Sandbox::new();
    sandbox.change("{train: [0, 1, 2], validation: [3, 4, 5], test: [6, 7, 8]}", "{folds: 3, seed: 1}");
    sandbox.experiment(&["--quiet"]).says(0, &[]);
    let folds = sandbox.read("results/small/tables/folds-1-shot.csv");
    assert!(folds.starts_with("pair,fold 0,fold 1,fold 2\nmaml - adam,"), "{folds}");
    assert!(sandbox.path("results/small/figures/folds.png").exists());
    let page = sandbox.read("results/small/report.html");
    assert!(page.contains("Interval and p are over folds"), "what the interval is over");
    let protocol = sandbox.read("results/small/tables/protocol.csv");
    let test_classes = protocol.lines().find(|line| line.starts_with("test classes")).expect("recorded");
    let mut held_out: Vec<&str> =
        test_classes.split(['"', ',', ' ', ':', ';']).filter(|word| word.len() == 1).collect();
    held_out.retain(|word| word.chars().all(|c| c.is_ascii_digit()));
    assert_eq!(held_out.len(), 3 + 9, "three folds and nine classes: {test_classes}");
    let environment = sandbox.read("results/small/maml-fold2-seed0/environment.json");
    assert!(environment.contains("\"validation\""), "{environment}");
}

/// What a reader does on the page, and whether it does what it should; the verdict becomes the title.
const ACTIONS: &str = "
    const problems = [];
    const check = (what, right) => { if (!right) problems.push(what); };
    const svg = document.querySelector('figure svg');
    const series = svg.querySelector('.series[data-points]');
    const [x, y, text] = JSON.parse(series.dataset.points)[0];
    const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
    const move = (x, y) => svg.dispatchEvent(new PointerEvent('pointermove', {clientX: x, clientY: y, bubbles: true}));
    const said = document.getElementById('hint');
    move(at.x, at.y);
    check('hover shows the value', !said.hidden && said.textContent.includes(' at '));
    svg.dispatchEvent(new PointerEvent('pointerleave'));
    check('it goes when the pointer leaves', said.hidden);
    const name = series.dataset.series;
    const entry = [...svg.querySelectorAll('.entry')].find(entry => entry.dataset.series === name);
    const all = () => [...document.querySelectorAll('svg .series')].filter(series => series.dataset.series === name);
    const shown = () => all().map(series => getComputedStyle(series).display !== 'none');
    entry.dispatchEvent(new MouseEvent('click', {bubbles: true}));
    check('a click switches a method off in all figures', all().length > 1 && shown().every(s => !s));
    check('its name says so', entry.getAttribute('aria-pressed') === 'false');
    entry.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true}));
    check('the keyboard switches it on', shown().every(s => s));
    check('nothing was requested', performance.getEntriesByType('resource').every(r => r.name.startsWith('data:')));
    check('it fits the window', document.documentElement.scrollWidth <= innerWidth);
    document.title = problems.length ? 'problems: ' + problems.join('; ') : 'all is well';
";

#[test]
#[ignore = "needs a browser: Debian's chromium"]
fn a_real_browser_shows_it_without_an_error_and_its_switches_work() {
    let sandbox = finished();
    sandbox.run(&["report", "results/small"]).says(0, &[]);
    let page = sandbox.read("results/small/report.html");
    let tested = page.replace("</body>", &format!("<script>{ACTIONS}</script></body>"));
    assert_ne!(page, tested);
    sandbox.write("tested.html", tested.as_bytes());
    let address = format!("file://{}", sandbox.path("tested.html").display());
    let profile = format!("--user-data-dir={}", sandbox.path("profile").display());
    for window in ["--window-size=1200,900", "--window-size=500,900"] {
        let output = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"])
            .args([window, &profile, &address])
            .output()
            .expect("chromium is installed");
        let dom = String::from_utf8_lossy(&output.stdout);
        assert!(dom.contains("<title>all is well</title>"), "{window}: {}", &dom[..dom.len().min(400)]);
        let log = String::from_utf8_lossy(&output.stderr);
        let complaints: Vec<&str> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
        assert!(complaints.is_empty(), "{complaints:?}");
    }
}
