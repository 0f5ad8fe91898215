// SPDX-License-Identifier: Apache-2.0
#include "http/router.hpp"

#include <gtest/gtest.h>

namespace unmask::http {
namespace {

void Nothing(const RequestPtr&, const Responder&) {}

Router MakeRouter() {
  Router router;
  router.Get("/", Nothing);
  router.Get("/v1/analyses/{id}", Nothing);
  router.Delete("/v1/analyses/{id}", Nothing);
  router.Get("/v1/analyses/latest", Nothing);
  router.Get("/v1/analyses/{id}/tracks/{track}/best.jpg", Nothing);
  router.Post("/v1/analyses", 10,
              [](const RequestPtr&) -> Result<std::unique_ptr<BodyReceiver>> { return nullptr; });
  return router;
}

TEST(Router, FindsARouteAndDecodesItsParameters) {
  const auto router = MakeRouter();
  const auto match = router.Find("GET", "/v1/analyses/a%2Fb/tracks/7/best.jpg");
  ASSERT_TRUE(match.route);
  EXPECT_EQ(match.route->path, "/v1/analyses/{id}/tracks/{track}/best.jpg");
  EXPECT_EQ(match.params.at("id"), "a/b");
  EXPECT_EQ(match.params.at("track"), "7");
}

TEST(Router, PrefersLiteralSegmentsToParameters) {
  const auto router = MakeRouter();
  EXPECT_EQ(router.Find("GET", "/v1/analyses/latest").route->path, "/v1/analyses/latest");
  EXPECT_EQ(router.Find("GET", "/v1/analyses/other").route->path, "/v1/analyses/{id}");
}

TEST(Router, ServesHeadByGet) { EXPECT_TRUE(MakeRouter().Find("HEAD", "/").route); }

TEST(Router, SaysNotFoundForUnknownPaths) {
  const auto router = MakeRouter();
  for (const auto* path : {"/nothing", "/v1/analyses/", "/v1", "//", "/v1/analyses/x/", "/../etc/passwd",
                           "/v1/analyses//tracks/1/best.jpg"})
    EXPECT_EQ(router.Find("GET", path).error.code, ErrorCode::kNotFound) << path;
}

TEST(Router, SaysWhichMethodsAreAllowed) {
  const auto match = MakeRouter().Find("PUT", "/v1/analyses/x");
  EXPECT_FALSE(match.route);
  EXPECT_EQ(match.error.code, ErrorCode::kMethodNotAllowed);
  EXPECT_EQ(match.allow, "DELETE, GET, HEAD");
}

TEST(Router, RefusesMalformedEscapes) {
  for (const auto* path : {"/%", "/%4", "/%zz", "/v1/analyses/%00"})
    EXPECT_EQ(MakeRouter().Find("GET", path).error.code, ErrorCode::kBadRequest) << path;
}

TEST(Router, RejectsRoutesThatCannotBeMeant) {
  Router router;
  router.Get("/a", Nothing);
  EXPECT_THROW(router.Get("/a", Nothing), std::logic_error);
  EXPECT_THROW(router.Get("b", Nothing), std::logic_error);
  EXPECT_THROW(router.Get("/b{c}", Nothing), std::logic_error);
  EXPECT_THROW(router.Get("/{}", Nothing), std::logic_error);
}

TEST(Router, MountsAnotherRouterWithItsErrorStyle) {
  Router inner([](const Error&, const Request&) { return Response{.status = 418}; });
  inner.Get("/health", Nothing);
  Router outer = MakeRouter();
  outer.Mount("/compat/other", inner);
  const Request request;

  const auto found = outer.Find("GET", "/compat/other/health");
  ASSERT_TRUE(found.route);
  EXPECT_EQ((*found.style)(Error{}, request).status, 418);
  EXPECT_EQ((*outer.Find("GET", "/compat/other/none").style)(Error{}, request).status, 418);
  EXPECT_EQ((*outer.Find("GET", "/compat/none").style)(Error{}, request).status, 500);
}

}  // namespace
}  // namespace unmask::http
