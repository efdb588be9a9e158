//! A proxy between the service and Postgres that reads what is asked.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Statements that were executed, oldest first.
pub(crate) type Asked = Arc<Mutex<Vec<String>>>;

/// Forwards connections to `upstream` and notes each statement that is executed. Returns its address.
pub(crate) async fn proxy(upstream: SocketAddr, log: Asked) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(upstream).await.unwrap();
            // A message goes out in three writes; waiting for acknowledgements between them would cost 40 ms each.
            client.set_nodelay(true).unwrap();
            server.set_nodelay(true).unwrap();
            let (from_client, mut to_client) = client.into_split();
            let (mut from_server, to_server) = server.into_split();
            let log = log.clone();
            connections.spawn(async move { drop(note(from_client, to_server, log).await) });
            connections.spawn(async move { drop(tokio::io::copy(&mut from_server, &mut to_client).await) });
        }
    });
    address
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
                log.lock().unwrap().push(statements.get(&name).cloned().unwrap_or_default());
            }
            b'Q' => {
                let sql = text();
                // Transactions are of background work; an RPC has none.
                if !["BEGIN", "COMMIT", "ROLLBACK"].iter().any(|word| sql.starts_with(word)) {
                    log.lock().unwrap().push(sql);
                }
            }
            _ => {}
        }
        server.write_u8(kind).await?;
        server.write_u32(length).await?;
        server.write_all(&body).await?;
    }
}
