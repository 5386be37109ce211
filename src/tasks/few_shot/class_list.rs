//! Splits of classes that are lists too long for an experiment file: a CSV file, or one of the two published splits of Omniglot that can be
//! recovered.

use std::path::PathBuf;

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    data::{Source, table::Table},
    misuse::misuse,
};

/// Where such a list is.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassList {
    /// A CSV file with a column `split`, of train, validation (or val) and test; its other columns, with / between them, name the class.
    File(PathBuf),
    /// One that was published.
    Published(PublishedSplit),
}

/// Published splits of Omniglot's characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PublishedSplit {
    /// Vinyals et al. 2016, as prototypical networks have it (https://github.com/jakesnell/prototypical-networks): 1028, 172 and 423
    /// characters.
    Vinyals,
    /// Nichol et al. 2018 (https://github.com/openai/supervised-reptile), with seed 0: 1200 characters to train, 423 to test, none to validate.
    Reptile,
}

impl PublishedSplit {
    fn text(self) -> &'static str {
        match self {
            Self::Vinyals => include_str!("splits/vinyals.csv"),
            Self::Reptile => include_str!("splits/reptile.csv"),
        }
    }
}

impl ClassList {
    /// Names of the classes of meta-train, meta-validation and meta-test.
    ///
    /// # Errors
    /// A `Misuse`: the file cannot be read, or has something else.
    pub fn read(&self, source: &Source) -> Result<[Vec<String>; 3]> {
        let mut parts = [const { Vec::new() }; 3];
        match self {
            Self::File(file) => {
                let mut table = Table::open(file, None, source)?;
                let split = table
                    .column("split", "it says of each class whether it is for train, validation or test")?;
                let named: Vec<usize> = (0..table.header().len()).filter(|column| *column != split).collect();
                if named.is_empty() {
                    misuse!("{} names no classes: a column beside split must, such as class", table.path());
                }
                while table.advance()? {
                    let Some(part) = part(&table.text(split)?) else {
                        return Err(table.wrong(split, "train, validation (or val) or test"));
                    };
                    let cells = named.iter().map(|column| Ok(table.text(*column)?.trim().to_owned()));
                    parts[part].push(cells.collect::<Result<Vec<_>>>()?.join("/"));
                }
            }
            Self::Published(published) => {
                let rows = published.text().lines().skip(1).filter_map(|line| line.split_once(','));
                for (split, class) in rows {
                    parts[part(split).unwrap_or(0)].push(class.replacen(',', "/", 1));
                }
            }
        }
        Ok(parts)
    }
}

/// The place of a part.
fn part(word: &str) -> Option<usize> {
    match word.trim() {
        "train" => Some(0),
        "validation" | "val" => Some(1),
        "test" => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_splits_have_the_published_numbers() {
        for (split, expected) in
            [(PublishedSplit::Vinyals, [1028, 172, 423]), (PublishedSplit::Reptile, [1200, 0, 423])]
        {
            let parts = ClassList::Published(split).read(&Source::default()).unwrap();
            assert_eq!(parts.each_ref().map(Vec::len), expected);
            let mut all = parts.concat();
            all.sort();
            all.dedup();
            assert_eq!(all.len(), 1623);
            assert!(all.contains(&"Greek/character01".to_owned()), "{:?}", &all[..3]);
        }
    }

    #[test]
    fn a_file_names_classes_by_one_column_or_several() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("split.csv");
        let read = |text: &str| {
            std::fs::write(&file, text).unwrap();
            ClassList::File(file.clone()).read(&Source::default())
        };
        let parts = read("class,split\ncat,train\ndog,val\ncow,test\n").unwrap();
        assert_eq!(parts, [vec!["cat".to_owned()], vec!["dog".into()], vec!["cow".into()]]);
        let parts =
            read("split,alphabet,character\ntrain,Greek,character01\ntest,Runic,character02\n").unwrap();
        assert_eq!(parts[2], ["Runic/character02"]);
        let said = |text| read(text).unwrap_err().to_string();
        assert!(said("class,split\ncat,dev\n").contains("line 2: split is \"dev\", expected train"));
        assert!(said("split\ntrain\n").contains("names no classes"));
        assert!(said("class,part\ncat,train\n").contains("has no column split"));
    }
}
