//! Files from a web server.

use std::time::Duration;

use anyhow::Result;
use indicatif::ProgressBar;
use ureq::Agent;

use super::cache::PublishedFile;
use super::idx;

/// Gives up within seconds on a server that does not answer. Follows the proxy variables of the
/// environment, as ureq does by default.
pub fn agent() -> Agent {
    let seconds = |s| Some(Duration::from_secs(s));
    Agent::config_builder()
        .timeout_resolve(seconds(3))
        .timeout_connect(seconds(3))
        .timeout_recv_response(seconds(10))
        .timeout_per_read(seconds(10))
        .timeout_global(seconds(300))
        .build()
        .into()
}

/// The contents of `file`, gunzipped, from the address with `NAME.gz` behind it. They are not
/// checked yet.
pub fn download(agent: &Agent, address: &str, file: &PublishedFile, bar: &ProgressBar) -> Result<Vec<u8>> {
    let body = agent.get(format!("{address}{}.gz", file.name)).call()?.into_body();
    bar.set_position(0);
    bar.set_length(body.content_length().unwrap_or(file.bytes));
    // Gzip makes a file that does not shrink at most a little larger.
    let reader = body.into_with_config().limit(file.bytes + (1 << 16)).reader();
    let bytes = idx::gunzip(bar.wrap_read(reader), file.bytes)?;
    Ok(bytes)
}

#[cfg(test)]
pub mod tests {
    use std::collections::HashMap;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::cache::tests::FILES;
    use super::super::idx::tests::gzip;
    use super::*;

    /// Serves `/NAME.gz` on the loopback interface, and counts the requests.
    pub struct Server {
        pub address: String,
        pub requests: Arc<AtomicUsize>,
    }

    pub fn serve(contents: &[(&str, Vec<u8>)]) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let pages: HashMap<String, Vec<u8>> =
            contents.iter().map(|(name, body)| (format!("/{name}.gz"), body.clone())).collect();
        let requests = Arc::new(AtomicUsize::new(0));
        let count = requests.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                let request = lines.next().unwrap_or_default();
                lines.find(|line| line.is_empty());
                let page = request.split(' ').nth(1).and_then(|path| pages.get(path));
                let status = if page.is_some() { "200 OK" } else { "404 Not Found" };
                let body = page.cloned().unwrap_or_default();
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                let _ = stream.write_all(&[head.as_bytes(), &body].concat());
            }
        });
        Server { address, requests }
    }

    /// An address on which nobody listens.
    pub fn unreachable() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    }

    fn answer(body: Vec<u8>) -> Result<Vec<u8>> {
        let server = serve(&[("one", body)]);
        download(&agent(), &server.address, &FILES[0], &ProgressBar::hidden())
    }

    #[test]
    fn gunzips_what_is_gzipped_and_takes_the_rest_as_it_is() {
        assert_eq!(answer(gzip(b"one")).unwrap(), b"one");
        assert_eq!(answer(b"one".to_vec()).unwrap(), b"one");
    }

    #[test]
    fn endless_bodies_are_cut_short() {
        assert!(answer(vec![b'x'; 10]).is_err());
        assert!(answer(gzip(&[7; 1_000_000])).is_err());
    }
}
