// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "model/network.hpp"
#include "model/remote/remote_engine.hpp"
#include "unmask/error.hpp"
#include "unmask/model.hpp"

namespace unmask {

/// The network of a model whose card (or setting) says that it runs elsewhere: behind TensorFlow Serving's
/// REST interface, or a KServe v2 server such as Triton over HTTP with binary tensors. Thread-safe.
///
/// Inputs of one call are sent in parts of at most RemoteEngine::max_batch, several at a time, over
/// connections that are kept. Each part has a deadline; within it, it is sent again only as RetryOptions say.
/// After `failures` calls in a row that failed nothing is sent for `pause` seconds (CircuitBreaker).
///
/// Errors name the model and never the address, which the log has: kOverloaded when the server is not there,
/// is too slow or says that it has too much to do, and while the breaker is open; kInternal when its answer
/// makes no sense or it refuses the question; kBadRequest when the input does not fit the server's model.
///
/// The server is asked for the model's input now, so that a wrong card is found at the start: kBadRequest or
/// kInternal then. A server that does not answer yet is a warning in the log, and asked again later; with
/// `options.may_be_starting` it is kOverloaded instead, as that option says. kCancelled soon after
/// `options.stop`; no other option matters here.
Result<std::unique_ptr<Network>> MakeRemoteNetwork(const ModelCard& card, const RemoteEngine& engine,
                                                   const NetworkOptions& options = {});

}  // namespace unmask
