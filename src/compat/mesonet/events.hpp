// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "compat/mesonet/core.hpp"
#include "socketio/server.hpp"

namespace unmask::compat {

/// Takes every client that connects, and serves it the events of mesonet-api (contract, section 4):
/// predict_video, video_chunk, ping.
socketio::ConnectHandler MesonetConnect(std::shared_ptr<MesonetCore> core);

/// The server of those events, as the original's library answers. `http` must outlive it.
std::unique_ptr<socketio::Server> MakeMesonetSockets(std::shared_ptr<MesonetCore> core, http::Server& http);

}  // namespace unmask::compat
