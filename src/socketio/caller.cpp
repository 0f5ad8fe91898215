// SPDX-License-Identifier: Apache-2.0
#include "socketio/caller.hpp"

#include <deque>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "socketio/caller_transport.hpp"
#include "socketio/packet.hpp"

namespace unmask::socketio {
namespace {

using nlohmann::ordered_json;
using Transport = Caller::Transport;

tl::unexpected<Error> Nonsense(const std::string& message) { return Fail(ErrorCode::kUnreadable, message); }

/// "http://host[:port][/prefix]" to where its Engine.IO is.
Result<CallerTransport::Place> ParsePlace(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  const auto malformed = [&] {
    return Fail(ErrorCode::kBadRequest, fmt::format("expected http://HOST[:PORT][/PATH], found '{}'", url),
                "Socket.IO is asked without TLS: use the service's own port behind its proxy");
  };
  if (!url.starts_with(kScheme)) return malformed();
  auto rest = url.substr(kScheme.size());
  const auto slash = std::min(rest.find('/'), rest.size());
  auto authority = rest.substr(0, slash);
  CallerTransport::Place place{.host = "", .port = "80", .path = std::string(rest.substr(slash))};
  while (place.path.ends_with('/')) place.path.pop_back();
  place.path += "/socket.io/";
  const bool v6 = authority.starts_with('[');
  const auto end = v6 ? authority.find(']') : std::min(authority.rfind(':'), authority.size());
  if (end == std::string_view::npos) return malformed();
  place.host = std::string(authority.substr(v6 ? 1 : 0, end - (v6 ? 1 : 0)));
  authority.remove_prefix(end + (v6 ? 1 : 0));
  if (!authority.empty()) place.port = std::string(authority.substr(1));
  const bool digits = place.port.find_first_not_of("0123456789") == std::string::npos;
  if (place.host.empty() || place.port.empty() || !digits || (!authority.empty() && authority[0] != ':'))
    return malformed();
  return place;
}

class CallerImpl : public Caller {
 public:
  explicit CallerImpl(std::unique_ptr<CallerTransport> transport) : transport_(std::move(transport)) {}

  Result<void> Join() {
    if (auto opened = transport_->Open(); !opened) return opened;
    while (!open_)
      if (auto read = Read(); !read) return read;
    const auto joined = Send(SerializePacket(PacketType::kConnect, "/", std::nullopt, nullptr).text);
    if (!joined) return joined;
    while (!connected_)
      if (auto read = Read(); !read) return read;
    return {};
  }

  Result<std::uint64_t> Emit(std::string_view event, const ordered_json& argument) override {
    const auto number = next_ack_++;
    const auto packet =
        SerializePacket(PacketType::kEvent, "/", number, ordered_json::array({event, argument}));
    if (!packet.attachments.empty())
      return Fail(ErrorCode::kBadRequest, "binary values are not sent by this client");
    if (auto sent = Send(packet.text); !sent) return tl::unexpected(sent.error());
    return number;
  }

  Result<Received> Next() override {
    while (received_.empty())
      if (auto read = Read(); !read) return tl::unexpected(read.error());
    auto first = std::move(received_.front());
    received_.pop_front();
    return first;
  }

  void Close() override {
    if (connected_ && !ended_)
      static_cast<void>(transport_->Send({.type = EnginePacketType::kClose, .data = ""}));
    ended_ = true;
  }

 private:
  Result<void> Send(std::string text) {
    return transport_->Send({.type = EnginePacketType::kMessage, .data = std::move(text)});
  }

  Result<void> Read() {
    if (ended_) return Nonsense("the session has ended");
    auto packets = transport_->Receive();
    if (!packets) {
      ended_ = true;
      return tl::unexpected(packets.error());
    }
    for (const auto& packet : *packets)
      if (auto taken = Take(packet); !taken) {
        ended_ = true;
        return taken;
      }
    return {};
  }

  Result<void> Take(const EnginePacket& packet) {
    switch (packet.type) {
      case EnginePacketType::kOpen: {
        const auto handshake = ordered_json::parse(packet.data, nullptr, false);
        if (!handshake.is_object() || !handshake.contains("sid") || !handshake["sid"].is_string())
          return Nonsense("the service's first packet names no session");
        transport_->SetSession(handshake["sid"].get<std::string>());
        open_ = true;
        return {};
      }
      case EnginePacketType::kPing:
        return transport_->Send({.type = EnginePacketType::kPong, .data = packet.data});
      case EnginePacketType::kMessage:
        return packet.binary ? Nonsense("the service sent bytes, expected text") : TakeMessage(packet.data);
      case EnginePacketType::kClose:
        return Nonsense("the service closed the session");
      default:
        return {};
    }
  }

  Result<void> TakeMessage(std::string_view text) {
    const auto packet = ParsePacket(text);
    if (!packet) return Nonsense("the service sent no Socket.IO packet: " + packet.error().message);
    if (packet->nsp != "/") return {};
    switch (packet->type) {
      case PacketType::kConnect:
        connected_ = true;
        return {};
      case PacketType::kConnectError:
        return Nonsense("the service refused the connection: " + packet->payload);
      case PacketType::kDisconnect:
        return Nonsense("the service ended the connection");
      default:
        return TakeEvent(*packet);
    }
  }

  Result<void> TakeEvent(const Packet& packet) {
    auto values = ordered_json::parse(packet.payload, nullptr, false);
    const bool is_event = packet.type == PacketType::kEvent;
    if (!values.is_array() || packet.attachments > 0 ||
        (is_event && (values.empty() || !values[0].is_string())) || (!is_event && !packet.id))
      return Nonsense("the service sent an event that is not a list of JSON values with its name first");
    Received received;
    if (is_event) {
      received.event = values[0].get<std::string>();
      values.erase(values.begin());
    } else {
      received.ack = packet.id;
    }
    received.arguments = values.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
    received_.push_back(std::move(received));
    return {};
  }

  const std::unique_ptr<CallerTransport> transport_;
  std::deque<Received> received_;
  std::uint64_t next_ack_ = 0;
  bool open_ = false;
  bool connected_ = false;
  bool ended_ = false;
};

}  // namespace

Result<std::unique_ptr<Caller>> Caller::Connect(const std::string& url, Options options) {
  const auto place = ParsePlace(url);
  if (!place) return tl::unexpected(place.error());
  const auto make = options.transport == Transport::kPolling ? MakePollingTransport : MakeWebSocketTransport;
  auto caller = std::make_unique<CallerImpl>(make(*place, options.timeout, options.stop));
  if (const auto joined = caller->Join(); !joined) return tl::unexpected(joined.error());
  return caller;
}

}  // namespace unmask::socketio
