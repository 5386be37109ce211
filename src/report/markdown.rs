//! The report as Markdown, for a repository or an editor.

use super::Report;

impl Report {
    /// `report.md`; its figures are files beside it.
    pub(super) fn markdown(&self) -> String {
        let mut text = format!("# {}\n", self.title());
        for warning in &self.warnings {
            text += &format!("\n> **Warning:** {warning}\n");
        }
        for section in &self.experiments {
            text += &format!("\n## {}\n\n{}\n", section.name, section.asked);
            for warning in &section.warnings {
                text += &format!("\n> **Warning:** {warning}\n");
            }
            let found = [section.found(), section.also_found()].concat();
            if !found.is_empty() {
                let lines: String = found.iter().map(|line| format!("- {line}\n")).collect();
                text += &format!("\n{lines}\n");
            }
            for table in &section.tables() {
                text += &format!("\n{}", table.markdown());
            }
            for figure in &section.figures {
                text += &format!("\n![{0}](figures/{0}.svg)\n\n{1}\n", figure.name, figure.caption);
            }
            if !section.teacher.is_empty() {
                text += "\n### What a teacher sees\n";
            }
            for view in &section.teacher {
                text += &format!("\n#### {}\n\n{}\n\n{}", view.heading, view.text, view.table.markdown());
            }
        }
        for study in &self.studies {
            text += &format!("\n## {}\n\n{}\n\n{}", study.name, study.found, study.table.markdown());
        }
        if let Some(protocol) = self.protocol() {
            text += &format!("\n## Protocol\n\n{}", protocol.markdown());
        }
        for section in &self.experiments {
            text += &format!("\n## To repeat {}\n\n", section.name);
            for (what, value) in &section.surroundings {
                text += &format!("- {what}: {value}\n");
            }
            if let Some(command) = &section.command {
                text += &format!("\n    {}\n", command.replace('\n', "\n    "));
            }
            text += &format!("\n```yaml\n{}```\n", section.yaml);
        }
        text
    }
}
