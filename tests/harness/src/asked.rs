//! A proxy between a service and Postgres that reads what is asked: the price of a call in round trips, and the statements
//! that `query_plans` looks at.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinSet,
};

/// Statements that were executed, oldest first. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Asked(Arc<Mutex<Vec<String>>>);

impl Asked {
    /// What was asked since the last look.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The last statement that holds `part`: something that background work never asks for, which may have asked meanwhile.
    pub fn last(&self, part: &str) -> Result<String> {
        let asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().rfind(|sql| sql.contains(part)).cloned().with_context(|| format!("nobody asked for {part}"))
    }

    fn note(&self, sql: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(sql);
    }

    /// Forwards connections to `upstream` and notes each statement that is executed. Returns its address.
    pub async fn proxy(&self, upstream: SocketAddr) -> Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, log) = (listener.local_addr()?, self.clone());
        #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
        tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let log = log.clone();
                connections.spawn(async move { drop(forward(client, upstream, log).await) });
            }
        });
        Ok(address)
    }

    /// The same URL by way of a proxy.
    pub async fn through(&self, url: &str) -> Result<String> {
        let port = url.parse::<http::Uri>()?.port_u16().context("a URL with a port")?;
        let proxy = self.proxy(SocketAddr::from(([127, 0, 0, 1], port))).await?;
        Ok(url.replace(&format!(":{port}/"), &format!(":{}/", proxy.port())))
    }
}

async fn forward(client: TcpStream, upstream: SocketAddr, log: Asked) -> Result<()> {
    let server = TcpStream::connect(upstream).await?;
    // A message goes out in three writes; waiting for acknowledgements between them would cost 40 ms each.
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, to_server) = server.into_split();
    let back = async { tokio::io::copy(&mut from_server, &mut to_client).await.map(drop) };
    tokio::try_join!(note(from_client, to_server, log), back)?;
    Ok(())
}

/// Reads the frontend's messages: a start-up packet, then type, length, body. `P` names a statement, `B` runs it, `Q` is
/// text that is run at once.
async fn note(mut client: OwnedReadHalf, mut server: OwnedWriteHalf, log: Asked) -> std::io::Result<()> {
    let mut statements: HashMap<String, String> = HashMap::new();
    loop {
        let length = client.read_u32().await?;
        let mut body = vec![0; length as usize - 4];
        client.read_exact(&mut body).await?;
        server.write_u32(length).await?;
        server.write_all(&body).await?;
        // A question for TLS, which the server declines, goes before the start-up packet itself.
        if length != 8 {
            break;
        }
    }
    loop {
        let kind = client.read_u8().await?;
        let length = client.read_u32().await?;
        let mut body = vec![0; length as usize - 4];
        client.read_exact(&mut body).await?;
        let mut texts = body.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned());
        let mut text = || texts.next().unwrap_or_default();
        match kind {
            b'P' => {
                let (name, sql) = (text(), text());
                statements.insert(name, sql);
            }
            b'B' => {
                let (_portal, name) = (text(), text());
                log.note(statements.get(&name).cloned().unwrap_or_default());
            }
            b'Q' => {
                let sql = text();
                // Transactions are of background work; an RPC has none.
                if !["BEGIN", "COMMIT", "ROLLBACK"].iter().any(|word| sql.starts_with(word)) {
                    log.note(sql);
                }
            }
            _ => {}
        }
        server.write_u8(kind).await?;
        server.write_u32(length).await?;
        server.write_all(&body).await?;
    }
}
