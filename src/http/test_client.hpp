// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: a client that sends exactly the bytes it is told, and reads one answer at a time.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"

namespace unmask::http {

struct TestAnswer {
  int status = 0;  ///< 0: the connection ended without an answer
  std::map<std::string, std::string> headers;
  std::string body;
};

class TestClient {
 public:
  /// `address` is "127.0.0.1:PORT".
  explicit TestClient(const std::string& address) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }

  bool connected() const { return connected_; }

  /// False when the server has closed the connection.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  TestAnswer Get(const std::string& target, const std::string& headers = "") {
    Send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n");
    return Read();
  }

  TestAnswer Post(const std::string& target, const std::string& body, const std::string& headers = "") {
    Send("POST " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + headers + "\r\n" + body);
    return Read();
  }

  /// The next answer. `head_only`: it has no body in spite of its Content-Length, as after HEAD or for 100.
  TestAnswer Read(bool head_only = false) {
    TestAnswer answer;
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
      if (!Fill()) return answer;
    const std::string head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    answer.status = std::stoi(head.substr(9, 3));
    for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
      const auto line_end = head.find("\r\n", at);
      const auto colon = head.find(": ", at);
      answer.headers[head.substr(at, colon - at)] = head.substr(colon + 2, line_end - colon - 2);
      at = line_end + 2;
    }
    if (head_only) return answer;
    const auto length = answer.headers.find("Content-Length");
    if (length == answer.headers.end() && answer.headers["Connection"] == "close") {
      answer.body = ReadToEnd();
      return answer;
    }
    const std::size_t size = length == answer.headers.end() ? 0 : std::stoul(length->second);
    while (buffer_.size() < size)
      if (!Fill()) break;
    answer.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return answer;
  }

  /// Until `text` has come; gives everything up to and with it, "" when the connection ends before.
  std::string ReadUntil(const std::string& text) {
    std::size_t at = 0;
    while ((at = buffer_.find(text)) == std::string::npos)
      if (!Fill()) return "";
    std::string read = buffer_.substr(0, at + text.size());
    buffer_.erase(0, at + text.size());
    return read;
  }

  /// Exactly so many bytes, fewer when the connection ends before.
  std::string Take(std::size_t size) {
    while (buffer_.size() < size)
      if (!Fill()) break;
    std::string taken = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return taken;
  }

  std::string ReadToEnd() {
    while (Fill()) {
    }
    return std::exchange(buffer_, {});
  }

  /// True when the server closes the connection without another byte.
  bool IsClosedByServer() { return !Fill() && buffer_.empty() && !timed_out_; }

  void ShutdownSend() { ::shutdown(fd_.get(), SHUT_WR); }
  void Close() { fd_.reset(); }

  /// Ends the connection with RST instead of FIN.
  void Reset() {
    const linger now{1, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    fd_.reset();
  }

 private:
  bool Fill() {
    pollfd wait{fd_.get(), POLLIN, 0};
    timed_out_ = ::poll(&wait, 1, 20'000) == 0;  // a hanging server fails the test instead of hanging it
    if (timed_out_) return false;
    char bytes[65536];
    const auto n = ::recv(fd_.get(), bytes, sizeof bytes, 0);
    if (n <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(n));
    return true;
  }

  UniqueFd fd_;
  bool connected_ = false;
  bool timed_out_ = false;
  std::string buffer_;
};

}  // namespace unmask::http
