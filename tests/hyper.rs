//! HTTP over local sockets, by hyper, on each runtime.

#![cfg(all(feature = "hyper", any(feature = "smol", feature = "tokio")))]

mod support;

use http_body_util::BodyExt;
use hyper::{Method, Request, Response, StatusCode, body::Incoming, client, server, service::service_fn};
use interprocess::{
    ConnectWaitMode,
    local_socket::{ConnectOptions, Listener, hyper::Connector},
    runtime::{Async, Runtime},
};
use std::{convert::Infallible, future::Future, io::ErrorKind, pin::pin, task::Poll, time::Duration};
use support::{TestName, both_names, in_time, unique_name};
use tower_service::Service;

/// Until one of them is done, which is not the second.
async fn with<T>(one: impl Future<Output = T>, beside: impl Future) -> T {
    let (mut one, mut beside) = (pin!(one), pin!(beside));
    let mut is_over = false;
    std::future::poll_fn(|cx| {
        if !is_over {
            is_over = beside.as_mut().poll(cx).is_ready();
        }
        match one.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            output @ Poll::Ready(_) => output,
        }
    })
    .await
}

async fn answer(request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    let path = request.uri().path().to_owned();
    let host = request.headers()["host"].to_str().expect("text").to_owned();
    let body = request.into_body().collect().await.expect("body").to_bytes();
    let mut response = Response::new(format!("{path} of {host}: {}", body.len()));
    if path == "/nothing" {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    Ok(response)
}

async fn requests_are_answered<R: Runtime>(name: &TestName) {
    let listener = Async::<Listener, R>::bind(name).expect("bind");
    let serving = async {
        let client = listener.accept().await.expect("accept");
        server::conn::http1::Builder::new().serve_connection(client, service_fn(answer)).await
    };
    let asking = async {
        let stream = Connector::<R>::new(name).expect("name").call("http://example").await.expect("connect");
        let (mut sender, connection) = client::conn::http1::handshake(stream).await.expect("handshake");
        let requests = async {
            for (path, len) in [("/one", 0), ("/nothing", 5), ("/much", 300_000)] {
                let request = Request::builder().method(Method::POST).uri(path).header("host", "example");
                let request = request.body("x".repeat(len)).expect("request");
                let response = sender.send_request(request).await.expect("response");
                assert_eq!(response.status().is_success(), path != "/nothing");
                let body = response.into_body().collect().await.expect("body").to_bytes();
                assert_eq!(body, format!("{path} of example: {len}"));
            }
        };
        with(requests, connection).await;
    };
    with(asking, serving).await;
}

async fn a_connector_keeps_to_its_options<R: Runtime>() {
    let name = unique_name();
    let patience = ConnectWaitMode::Timeout(Duration::from_millis(20));
    let options = ConnectOptions::new().name(String::from(&*name)).wait_mode(patience).wait_for_server(true);
    let mut connector = Connector::<R>::with_options(options);
    std::future::poll_fn(|cx| Service::<()>::poll_ready(&mut connector, cx)).await.expect("always");
    assert_eq!(connector.call(()).await.expect_err("nobody").kind(), ErrorKind::TimedOut);
    assert_eq!(Connector::<R>::new("").expect_err("no name").kind(), ErrorKind::InvalidInput);
    let _listener = Async::<Listener, R>::bind(&name).expect("bind");
    connector.call(()).await.expect("connect");
}

#[cfg(feature = "tokio")]
mod on_tokio {
    use super::*;
    use interprocess::runtime::Tokio;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime").block_on(future)
    }

    #[test]
    fn requests_are_answered() {
        for name in both_names() {
            in_time(move || block_on(super::requests_are_answered::<Tokio>(&name)));
        }
    }

    #[test]
    fn a_connector_keeps_to_its_options() {
        in_time(|| block_on(super::a_connector_keeps_to_its_options::<Tokio>()));
    }
}

#[cfg(feature = "smol")]
mod on_smol {
    use super::*;
    use interprocess::runtime::Smol;

    #[test]
    fn requests_are_answered() {
        for name in both_names() {
            in_time(move || async_io::block_on(super::requests_are_answered::<Smol>(&name)));
        }
    }

    #[test]
    fn a_connector_keeps_to_its_options() {
        in_time(|| async_io::block_on(super::a_connector_keeps_to_its_options::<Smol>()));
    }
}
