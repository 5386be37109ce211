//! SVG to pixels with the one font this program carries, so that a figure is the same bytes on every machine.

use std::sync::{Arc, LazyLock};

use anyhow::{Context, Result};
use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree, fontdb::Database},
};

use super::style::{FONT, Type};

static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.load_font_data(dejavu::sans::bold().to_vec());
    fonts.set_sans_serif_family("DejaVu Sans");
    Arc::new(fonts)
});

fn parse(svg: &str) -> Result<Tree> {
    let options = Options { fontdb: Arc::clone(&FONTS), ..Options::default() };
    Tree::from_str(svg, &options).context("cannot read the figure's SVG")
}

/// The picture that `svg` describes, one pixel per unit.
///
/// # Errors
/// If the text is not SVG, or describes a picture without area.
pub fn pixels(svg: &str) -> Result<Pixmap> {
    let tree = parse(svg)?;
    let size = tree.size().to_int_size();
    let mut picture = Pixmap::new(size.width(), size.height()).context("a figure without any area")?;
    resvg::render(&tree, Transform::identity(), &mut picture.as_mut());
    Ok(picture)
}

/// The picture that `svg` describes as a PNG file.
///
/// # Errors
/// See [`pixels`].
pub fn png(svg: &str) -> Result<Vec<u8>> {
    pixels(svg)?.encode_png().context("cannot write the figure as PNG")
}

/// How wide `text` is when it is drawn.
pub fn text_width(text: &str, look: Type) -> i32 {
    let weight = if look.bold { "bold" } else { "normal" };
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><text font-family="{FONT}" font-weight="{weight}" font-size="{}">{text}</text></svg>"#,
        look.size
    );
    // Text that is no XML fails where it is drawn, with a better message.
    parse(&svg).map_or(0, |tree| tree.root().bounding_box().width().ceil() as i32)
}

/// `text`, or as much of its beginning as fits into `width`, with an ellipsis.
pub fn shorten(text: &str, look: Type, width: i32) -> String {
    if text_width(text, look) <= width {
        return text.to_owned();
    }
    let mut kept = text.to_owned();
    while kept.pop().is_some() {
        let shortened = format!("{}…", kept.trim_end());
        if text_width(&shortened, look) <= width {
            return shortened;
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::super::style::{LABEL, TITLE};
    use super::*;

    #[test]
    fn text_is_measured_and_shortened() {
        let (short, long) = (text_width("maml", LABEL), text_width("maml and friends", LABEL));
        assert!(50 < short && short < long, "{short} {long}");
        assert!(text_width("maml", TITLE) > short);
        assert!(text_width("a<&b", LABEL) > text_width("ab", LABEL));
        assert_eq!(shorten("maml", LABEL, 200), "maml");
        let shortened = shorten("maml and all of its friends", LABEL, 200);
        assert!(shortened.starts_with("maml a") && shortened.ends_with('…'), "{shortened}");
        assert!(text_width(&shortened, LABEL) <= 200);
    }

    #[test]
    fn what_is_not_svg_is_an_error() {
        assert!(png("maml").is_err());
    }
}
