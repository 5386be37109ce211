//! Names and groups of classes, for data sets whose labels are numbers.
//!
//! ```text
//!     class,name,group
//!     0,alpha,Greek
//!     1,beta,Greek
//! ```

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::Dataset;

/// Lies beside the files of a data set.
pub const FILE: &str = "classes.csv";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// The label number.
    class: String,
    name: String,
    #[serde(default)]
    group: Option<String>,
}

/// Gives the classes of a data set the names in a file, and groups if it has that column.
///
/// # Errors
/// The file cannot be read, or does not name each class once, with names and groups for all.
pub fn read(file: &Path, dataset: &mut Dataset) -> Result<()> {
    let path = file.display();
    let mut csv = csv::Reader::from_path(file).with_context(|| format!("cannot read {path}"))?;
    let mut named: Vec<Option<Row>> = dataset.classes.iter().map(|_| None).collect();
    for row in csv.deserialize::<Row>() {
        let row =
            row.with_context(|| format!("{path}: expected the columns class,name or class,name,group"))?;
        let Some(class) = dataset.classes.iter().position(|class| *class == row.class) else {
            bail!("{path}: names class {}, of which there is no image: leave its line out", row.class);
        };
        if let Some(other) = named.iter().flatten().find(|other| other.name == row.name) {
            bail!("{path}: classes {} and {} are both named {}", other.class, row.class, row.name);
        }
        if named[class].replace(row).is_some() {
            bail!("{path}: class {} stands there twice", dataset.classes[class]);
        }
    }
    if let Some(class) = named.iter().position(Option::is_none) {
        bail!("{path}: class {} has no line", dataset.classes[class]);
    }
    let rows: Vec<Row> = named.into_iter().flatten().collect();
    let groups: Vec<String> = rows.iter().filter_map(|row| row.group.clone()).collect();
    if !groups.is_empty() && groups.len() < rows.len() {
        bail!(
            "{path}: some classes have a group and others none: give all of them one, or leave the column out"
        );
    }
    dataset.groups = groups;
    dataset.classes = rows.into_iter().map(|row| row.name).collect();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(csv: &str) -> Result<Dataset> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        std::fs::write(&file, csv).unwrap();
        let mut dataset = Dataset {
            name: "two".into(),
            height: 1,
            width: 1,
            pixels: vec![1, 2].into(),
            labels: vec![0, 1],
            classes: vec!["3".into(), "7".into()],
            groups: Vec::new(),
            training: 1,
        };
        read(&file, &mut dataset).map(|()| dataset)
    }

    #[test]
    fn classes_get_names_and_groups_by_their_numbers() {
        let dataset = named("class,name,group\n7,beta,Greek\n3,alpha,Greek\n").unwrap();
        assert_eq!(dataset.classes, ["alpha", "beta"]);
        assert_eq!(dataset.groups, ["Greek", "Greek"]);
        let dataset = named("class,name\n3,alpha\n7,beta\n").unwrap();
        assert!(dataset.classes == ["alpha", "beta"] && dataset.groups.is_empty());
    }

    #[test]
    fn files_that_do_not_fit_are_told_why() {
        for (csv, part) in [
            ("class,name\n3,a\n", "class 7 has no line"),
            ("class,name\n3,a\n7,b\n9,c\n", "class 9, of which there is no image"),
            ("class,name\n3,a\n7,a\n", "classes 3 and 7 are both named a"),
            ("class,name\n3,a\n3,b\n", "class 3 stands there twice"),
            ("class,name,group\n3,a,G\n7,b,\n", "some classes have a group"),
            ("class,title\n3,a\n", "class,name,group"),
            ("class,name,group\n3,a,G,more\n", "classes.csv"),
        ] {
            let message = format!("{:#}", named(csv).unwrap_err());
            assert!(message.contains(part) && message.contains(FILE), "{message}");
        }
    }
}
