// SPDX-License-Identifier: Apache-2.0
#include "http/origin_gate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask::http {
namespace {

using testing::HasSubstr;

Request Make(const std::string& method, const std::vector<Headers::Field>& fields) {
  Request request{.method = method, .path = "/v1/analyses"};
  for (const auto& [name, value] : fields) request.headers.Add(name, value);
  return request;
}

bool Passes(const OriginRules& rules, const std::string& method, const std::vector<Headers::Field>& fields) {
  return MakeOriginGate(rules)(Make(method, fields)).has_value();
}

TEST(OriginGate, LetsClientsThatAreNoBrowsersIn) {
  for (const auto* method : {"GET", "POST", "DELETE", "OPTIONS"})
    EXPECT_TRUE(Passes({}, method, {{"Host", "anything:8080"}})) << method;
}

TEST(OriginGate, LetsOwnPagesIn) {
  EXPECT_TRUE(Passes({}, "POST", {{"Host", "localhost:8080"}, {"Origin", "http://localhost:8080"}}));
  EXPECT_TRUE(Passes({}, "POST", {{"Host", "Media.example"}, {"Origin", "https://media.example"}}));
  EXPECT_TRUE(Passes({}, "POST", {{"Host", "[::1]:80"}, {"Origin", "http://[::1]:80"}}));
}

TEST(OriginGate, RefusesForeignPagesWhateverTheMethod) {
  for (const auto* method : {"GET", "POST", "DELETE", "OPTIONS"})
    for (const auto* origin :
         {"http://evil.example", "http://localhost:3000", "http://localhost", "null", ""})
      EXPECT_FALSE(Passes({}, method, {{"Host", "localhost:8080"}, {"Origin", origin}})) << method << origin;
  EXPECT_FALSE(Passes({}, "POST", {{"Origin", "http://evil.example"}})) << "HTTP/1.0 has no Host";
}

TEST(OriginGate, BelievesTheBrowserAboutTheSite) {
  const Headers::Field host{"Host", "127.0.0.1:8080"}, origin{"Origin", "https://media.example"};
  EXPECT_TRUE(Passes({}, "POST", {host, origin, {"Sec-Fetch-Site", "same-origin"}}))
      << "a proxy changed Host";
  EXPECT_TRUE(Passes({}, "GET", {host, {"Sec-Fetch-Site", "none"}})) << "typed by the user";
  for (const auto* site : {"cross-site", "same-site", "unheard-of"}) {
    EXPECT_FALSE(Passes({}, "POST", {host, {"Sec-Fetch-Site", site}})) << site;
    EXPECT_FALSE(Passes({}, "GET", {host, {"Sec-Fetch-Site", site}, {"Sec-Fetch-Mode", "no-cors"}})) << site;
    EXPECT_FALSE(Passes({}, "POST", {host, {"Origin", "http://127.0.0.1:8080"}, {"Sec-Fetch-Site", site}}))
        << site;
  }
}

TEST(OriginGate, LetsAFollowedLinkPassButNoFrameAndNoForm) {
  const auto passes = [](const char* method, const char* mode, const char* target) {
    return Passes({}, method,
                  {{"Host", "localhost:8080"},
                   {"Sec-Fetch-Site", "cross-site"},
                   {"Sec-Fetch-Mode", mode},
                   {"Sec-Fetch-Dest", target}});
  };
  EXPECT_TRUE(passes("GET", "navigate", "document"));
  EXPECT_FALSE(passes("POST", "navigate", "document"));
  EXPECT_FALSE(passes("GET", "navigate", "iframe"));
  EXPECT_FALSE(passes("GET", "no-cors", "image"));
}

TEST(OriginGate, GrantsCorsToListedOrigins) {
  const auto gate = MakeOriginGate({.origins = {"https://page.example"}});
  const auto granted = gate(
      Make("POST", {{"Host", "x"}, {"Origin", "https://page.example"}, {"Sec-Fetch-Site", "cross-site"}}));
  ASSERT_TRUE(granted);
  EXPECT_EQ(*granted->Find("Access-Control-Allow-Origin"), "https://page.example");
  EXPECT_EQ(*granted->Find("Vary"), "Origin");
  EXPECT_FALSE(granted->Find("Access-Control-Allow-Credentials"));
  EXPECT_FALSE(granted->Find("Access-Control-Allow-Methods"));

  const auto preflight = gate(Make("OPTIONS", {{"Host", "x"},
                                               {"Origin", "https://page.example"},
                                               {"Access-Control-Request-Method", "DELETE"},
                                               {"Access-Control-Request-Headers", "x-a"}}));
  ASSERT_TRUE(preflight);
  EXPECT_THAT(*preflight->Find("Access-Control-Allow-Methods"), HasSubstr("DELETE"));
  EXPECT_EQ(*preflight->Find("Access-Control-Allow-Headers"), "x-a");

  EXPECT_FALSE(gate(Make("POST", {{"Host", "x"}, {"Origin", "https://page.example.evil"}})));
  EXPECT_TRUE(Passes({.origins = {"*"}}, "POST", {{"Host", "x"}, {"Origin", "null"}}));
}

TEST(OriginGate, SaysWhatToDo) {
  const auto refused = MakeOriginGate({})(Make("POST", {{"Host", "x"}, {"Origin", "https://page.example"}}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kForbidden);
  EXPECT_THAT(refused.error().message, HasSubstr("https://page.example"));
  EXPECT_THAT(refused.error().hint, HasSubstr("--allow-origin https://page.example"));
}

TEST(OriginGate, ServesOnlyKnownNamesWhereItChecksThem) {
  const OriginRules rules{.check_host = true, .hosts = {"media.example"}};
  for (const auto* host : {"localhost", "LOCALHOST:8080", "app.localhost:1", "127.0.0.1:8080", "192.168.1.7",
                           "[::1]:80", "media.example", "Media.Example.:443", ""})
    EXPECT_TRUE(Passes(rules, "GET", {{"Host", host}})) << host;
  for (const auto* host :
       {"evil.example", "localhost.evil.example:8080", "media.example.evil", "127.0.0.1.nip.io", "evil]"})
    EXPECT_FALSE(Passes(rules, "GET", {{"Host", host}})) << host;
  // A rebound page is same-origin for its browser.
  EXPECT_FALSE(Passes(rules, "POST",
                      {{"Host", "evil.example:8080"},
                       {"Origin", "http://evil.example:8080"},
                       {"Sec-Fetch-Site", "same-origin"}}));
  EXPECT_TRUE(Passes({.check_host = true, .hosts = {"*"}}, "GET", {{"Host", "any.example"}}));
}

TEST(ParseOrigin, GivesWhatABrowserSends) {
  EXPECT_EQ(*ParseOrigin("https://Example.org"), "https://example.org");
  EXPECT_EQ(*ParseOrigin("https://example.org:443/"), "https://example.org");
  EXPECT_EQ(*ParseOrigin("http://localhost:3000"), "http://localhost:3000");
  EXPECT_EQ(*ParseOrigin("http://[::1]:80"), "http://[::1]");
  EXPECT_EQ(*ParseOrigin("*"), "*");
  EXPECT_EQ(*ParseOrigin("null"), "null");
  for (const auto* bad :
       {"", "example.org", "https://", "ftp://a", "https://a/path", "https://a b", "https://:80"})
    EXPECT_FALSE(ParseOrigin(bad)) << bad;
}

TEST(ParseHostName, TakesNoPort) {
  EXPECT_EQ(*ParseHostName("Media.Example"), "media.example");
  EXPECT_EQ(*ParseHostName("*"), "*");
  for (const auto* bad : {"", "a:80", "http://a", "a b"}) EXPECT_FALSE(ParseHostName(bad)) << bad;
}

TEST(IsLoopback, KnowsTheAddressesOfThisMachineAlone) {
  for (const auto* listen : {"127.0.0.1:8080", "127.1.2.3:0", "localhost:80", "[::1]:8080"})
    EXPECT_TRUE(IsLoopback(listen)) << listen;
  for (const auto* listen : {"0.0.0.0:8080", "[::]:8080", "10.0.0.1:80", "128.0.0.1:1"})
    EXPECT_FALSE(IsLoopback(listen)) << listen;
}

}  // namespace
}  // namespace unmask::http
