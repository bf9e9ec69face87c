#include <gtest/gtest.h>

#include "kube/http_api_client.h"
#include "kube/kinds.h"
#include "unit/kube_test_support.h"

namespace weir {
namespace {

using kube_test::FakeClock;
using kube_test::FakeHttpClient;

constexpr const char* kGone =
    R"({"kind":"Status","status":"Failure","message":"too old","reason":"Expired","code":410})";
constexpr const char* kUnapplied =
    R"({"kind":"Status","status":"Failure",)"
    R"("message":"the server rejected our request due to an error in our request",)"
    R"("reason":"Invalid","details":{},"code":422})";

class ApiClientTest : public testing::Test {
 protected:
  void use(HttpApiClientOptions options) {
    options.sleep = [this](milliseconds span) {
      sleeps.push_back(span);
      clock.advance(span);
    };
    api = make_http_api_client(http, clock, random, std::move(options));
  }
  void SetUp() override { use({}); }

  Deadline soon(milliseconds span = seconds(10)) const { return Deadline::after(clock, span); }
  Result<Json> get() { return api->get(kinds::kService, {"shop", "web"}, soon()); }
  Result<ListPage> list(const std::string& next = "") {
    return api->list(kinds::kService, {"shop", "app=web"}, next, soon());
  }
  Result<void> watch(WatchRequest request, std::vector<std::string>* lines = nullptr) {
    return api->watch(request,
                      [lines](std::string_view line) {
                        if (lines != nullptr) lines->emplace_back(line);
                        return true;
                      },
                      {});
  }
  const HttpRequest& last() const { return http.requests.back(); }

  FakeHttpClient http;
  FakeClock clock;
  kube_test::NoJitter random;
  std::vector<milliseconds> sleeps;
  std::unique_ptr<ApiClient> api;
};

const WatchRequest kWatch{kinds::kService, {"shop", "app=web"}, "42"};

TEST_F(ApiClientTest, GetsAnObject) {
  http.will_answer(200, R"({"metadata":{"name":"web"}})");
  const auto object = get();
  ASSERT_TRUE(object);
  EXPECT_EQ(json_text(*object, {"metadata", "name"}), "web");
  EXPECT_EQ(last().method, "GET");
  EXPECT_EQ(last().target, "/api/v1/namespaces/shop/services/web");
  EXPECT_EQ(last().headers.at("Accept"), "application/json");
}

TEST_F(ApiClientTest, DropsWhatNobodyReads) {
  http.will_answer(
      200, R"({"metadata":{"annotations":{"a":"b",)"
           R"("kubectl.kubernetes.io/last-applied-configuration":"{}"},"managedFields":[{}],)"
           R"("name":"web"}})");
  EXPECT_EQ(dump_json(*get()), R"({"metadata":{"annotations":{"a":"b"},"name":"web"}})");
}

TEST_F(ApiClientTest, AnAnswerThatIsNoObjectIsAParseError) {
  for (const char* body : {"", "<html>", "[]", "null", "{"}) {
    http.will_answer(200, body);
    EXPECT_EQ(get().error().kind, ErrorKind::Parse) << body;
  }
}

TEST_F(ApiClientTest, RefusesAnEmptyNameWithoutAsking) {
  EXPECT_EQ(api->get(kinds::kService, {"shop", ""}, soon()).error().kind, ErrorKind::Invalid);
  EXPECT_EQ(api->remove(kinds::kService, {"shop", ""}, "uid", soon()).error().kind,
            ErrorKind::Invalid);
  EXPECT_TRUE(http.requests.empty());
}

TEST_F(ApiClientTest, RetriesAReadTwiceWithGrowingPauses) {
  http.will_fail(ErrorKind::Unavailable);
  http.will_answer(502, "bad gateway");
  http.will_answer(200);
  EXPECT_TRUE(get());
  EXPECT_EQ(http.requests.size(), 3U);
  EXPECT_EQ(sleeps, (std::vector<milliseconds>{milliseconds(50), milliseconds(100)}));
}

TEST_F(ApiClientTest, GivesAReadUpAfterThreeAttempts) {
  for (int i = 0; i < 3; ++i) http.will_fail(ErrorKind::Unavailable);
  EXPECT_EQ(list().error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(http.requests.size(), 3U);
}

TEST_F(ApiClientTest, RetriesAReadOnlyWhenUnavailable) {
  for (const int status : {400, 403, 404, 409, 410, 422, 429, 504}) {
    http.requests.clear();
    http.will_answer(status);
    EXPECT_FALSE(get());
    EXPECT_EQ(http.requests.size(), 1U) << status;
  }
  for (const auto kind : {ErrorKind::Timeout, ErrorKind::Shutdown, ErrorKind::Invalid}) {
    http.requests.clear();
    http.will_fail(kind);
    EXPECT_EQ(get().error().kind, kind);
    EXPECT_EQ(http.requests.size(), 1U);
  }
}

TEST_F(ApiClientTest, DoesNotRetryWhenThePauseWouldPassTheDeadline) {
  http.will_fail(ErrorKind::Unavailable);
  const auto object = api->get(kinds::kService, {"shop", "web"}, soon(milliseconds(50)));
  EXPECT_EQ(object.error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(http.requests.size(), 1U);
}

TEST_F(ApiClientTest, NeverRetriesAWrite) {
  const auto writes = std::vector<std::function<ErrorKind()>>{
      [&] { return api->create(kinds::kService, "shop", {}, false, soon()).error().kind; },
      [&] {
        return api->patch(kinds::kService, {"shop", "web"}, {}, soon()).error().kind;
      },
      [&] {
        return api->remove(kinds::kService, {"shop", "web"}, "u", soon()).error().kind;
      }};
  for (const auto& write : writes) {
    http.requests.clear();
    http.will_fail(ErrorKind::Unavailable);
    EXPECT_EQ(write(), ErrorKind::Unavailable);
    EXPECT_EQ(http.requests.size(), 1U);
  }
}

TEST_F(ApiClientTest, ListsAPageWithItsPosition) {
  http.will_answer(200, R"({"metadata":{"resourceVersion":"7","continue":"abc"},)"
                        R"("items":[{"metadata":{"name":"a","managedFields":[]}},{}]})");
  const auto page = list();
  ASSERT_TRUE(page);
  EXPECT_EQ(page->resource_version, "7");
  EXPECT_EQ(page->next, "abc");
  ASSERT_EQ(page->items.size(), 2U);
  EXPECT_EQ(dump_json(page->items[0]), R"({"metadata":{"name":"a"}})");
  EXPECT_EQ(last().target, "/api/v1/namespaces/shop/services?limit=100&labelSelector=app%3Dweb");
}

TEST_F(ApiClientTest, AsksForTheNextPage) {
  http.will_answer(200, R"({"metadata":{"resourceVersion":"7"},"items":null})");
  const auto page = list("a+/=b");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->next, "");
  EXPECT_TRUE(page->items.empty());
  EXPECT_EQ(
      last().target,
      "/api/v1/namespaces/shop/services?limit=100&labelSelector=app%3Dweb&continue=a%2B%2F%3Db");
}

TEST_F(ApiClientTest, AnExpiredPositionIsGone) {
  http.will_answer(410, kGone);
  EXPECT_EQ(list("old").error().kind, ErrorKind::Gone);
}

TEST_F(ApiClientTest, AListWithoutItemsOrVersionIsAParseError) {
  for (const char* body : {"{}", R"({"metadata":{"resourceVersion":"7"}})", R"({"items":[]})",
                           R"({"metadata":{"resourceVersion":"7"},"items":{}})", "[]", "x"}) {
    http.will_answer(200, body);
    EXPECT_EQ(list().error().kind, ErrorKind::Parse) << body;
  }
}

TEST_F(ApiClientTest, CreatesWithAFieldManager) {
  http.will_answer(201, R"({"metadata":{"name":"x","managedFields":[]}})");
  const auto object =
      api->create(kinds::kService, "shop", *parse_json(R"({"b":1,"a":2})"), false, soon());
  ASSERT_TRUE(object);
  EXPECT_EQ(last().method, "POST");
  EXPECT_EQ(last().target, "/api/v1/namespaces/shop/services?fieldManager=weir");
  EXPECT_EQ(last().headers.at("Content-Type"), "application/json");
  EXPECT_EQ(last().body, R"({"a":2,"b":1})");
  EXPECT_EQ(dump_json(*object), R"({"metadata":{"name":"x"}})");
}

TEST_F(ApiClientTest, ATakenNameAlreadyExists) {
  http.will_answer(409, R"({"kind":"Status","reason":"AlreadyExists","code":409})");
  EXPECT_EQ(api->create(kinds::kService, "shop", {}, false, soon()).error().kind,
            ErrorKind::AlreadyExists);
}

TEST_F(ApiClientTest, DryRunsCreateAndPatch) {
  http.will_answer(201);
  EXPECT_TRUE(api->create(kinds::kService, "shop", {}, true, soon()));
  EXPECT_EQ(last().target, "/api/v1/namespaces/shop/services?fieldManager=weir&dryRun=All");
  http.will_answer(200);
  EXPECT_TRUE(api->patch(kinds::kService, {"shop", "web"}, {Patch::Type::JsonMerge, "{}", "", true},
                         soon()));
  EXPECT_EQ(last().target, "/api/v1/namespaces/shop/services/web?fieldManager=weir&dryRun=All");
}

TEST_F(ApiClientTest, PatchesInThreeWays) {
  struct Row {
    Patch::Type type;
    const char* content_type;
    const char* query;
  };
  for (const Row& row :
       {Row{Patch::Type::Apply, "application/apply-patch+yaml", "?fieldManager=weir&force=true"},
        Row{Patch::Type::JsonPatch, "application/json-patch+json", "?fieldManager=weir"},
        Row{Patch::Type::JsonMerge, "application/merge-patch+json", "?fieldManager=weir"}}) {
    http.will_answer(200);
    EXPECT_TRUE(
        api->patch(kinds::kRelease, {"shop", "web"}, {row.type, "{\"x\":1}", "status"}, soon()));
    EXPECT_EQ(last().method, "PATCH");
    EXPECT_EQ(
        last().target,
        std::string("/apis/weir.dev/v1alpha1/namespaces/shop/releases/web/status") + row.query);
    EXPECT_EQ(last().headers.at("Content-Type"), row.content_type);
    EXPECT_EQ(last().body, "{\"x\":1}");
  }
}

TEST_F(ApiClientTest, AFailedTestOfAJsonPatchIsAConflict) {
  const auto kind_of = [&](Patch::Type type, const std::string& body) {
    http.will_answer(422, kUnapplied);
    return api->patch(kinds::kService, {"shop", "web"}, {type, body}, soon()).error().kind;
  };
  const std::string with_test =
      R"([{"op":"test","path":"/metadata/resourceVersion","value":"1"},{"op":"remove",)"
      R"("path":"/a"}])";
  EXPECT_EQ(kind_of(Patch::Type::JsonPatch, with_test), ErrorKind::Conflict);
  EXPECT_EQ(kind_of(Patch::Type::JsonPatch, R"([{"op":"remove","path":"/a"}])"),
            ErrorKind::Invalid);
  EXPECT_EQ(kind_of(Patch::Type::JsonMerge, with_test), ErrorKind::Invalid);
}

TEST_F(ApiClientTest, DeletesOnlyTheObjectOfTheUid) {
  http.will_answer(202);
  EXPECT_TRUE(api->remove(kinds::kReplicaSet, {"shop", "web-1"}, "u-1", soon()));
  EXPECT_EQ(last().method, "DELETE");
  EXPECT_EQ(last().target, "/apis/apps/v1/namespaces/shop/replicasets/web-1");
  EXPECT_EQ(last().body,
            R"({"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"uid":"u-1"},)"
            R"("propagationPolicy":"Background"})");
  http.will_answer(409, R"({"kind":"Status","reason":"Conflict","code":409})");
  EXPECT_EQ(api->remove(kinds::kReplicaSet, {"shop", "web-1"}, "u-1", soon()).error().kind,
            ErrorKind::Conflict);
  EXPECT_EQ(api->remove(kinds::kReplicaSet, {"shop", "web-1"}, "", soon()).error().kind,
            ErrorKind::Invalid);
}

TEST_F(ApiClientTest, SpacesRequestsByTheTokenBucket) {
  use({10, 1, "weir", {}});
  for (int i = 0; i < 2; ++i) {
    http.will_answer(200);
    EXPECT_TRUE(get());
  }
  EXPECT_EQ(sleeps, (std::vector<milliseconds>{milliseconds(100)}));
}

TEST_F(ApiClientTest, TimesOutAtOnceWhenTheBucketCannotServeBeforeTheDeadline) {
  use({10, 1, "weir", {}});
  http.will_answer(200);
  EXPECT_TRUE(get());
  const auto object = api->get(kinds::kService, {"shop", "web"}, soon(milliseconds(99)));
  EXPECT_EQ(object.error().kind, ErrorKind::Timeout);
  EXPECT_EQ(http.requests.size(), 1U);
  EXPECT_TRUE(sleeps.empty());
}

TEST_F(ApiClientTest, WatchesLineByLine) {
  http.streams.push_back({HttpResponse{200}, {"{\"type\":\"AD", "DED\"}\n{\"type\":", "1}\n"}});
  std::vector<std::string> lines;
  EXPECT_TRUE(watch(kWatch, &lines));
  EXPECT_EQ(lines, (std::vector<std::string>{R"({"type":"ADDED"})", R"({"type":1})"}));
  EXPECT_EQ(
      last().target,
      "/api/v1/namespaces/shop/services?watch=true&allowWatchBookmarks=true&timeoutSeconds=290"
      "&resourceVersion=42&labelSelector=app%3Dweb");
  EXPECT_EQ(http.idle_limits.back(), seconds(305));
}

TEST_F(ApiClientTest, AWatchEndsWhenTheCallerHasEnough) {
  http.streams.push_back({HttpResponse{200}, {"1\n2\n3\n", "4\n"}});
  int seen = 0;
  const auto how = api->watch(kWatch, [&](std::string_view) { return ++seen < 2; }, {});
  EXPECT_TRUE(how);
  EXPECT_EQ(seen, 2);
}

TEST_F(ApiClientTest, AWatchThatMayNotStartSaysWhy) {
  http.streams.push_back({HttpResponse{410, {}, kGone}});
  EXPECT_EQ(watch(kWatch).error().kind, ErrorKind::Gone);
  http.streams.push_back({HttpResponse{403, {}, ""}});
  EXPECT_EQ(watch(kWatch).error().kind, ErrorKind::Forbidden);
  http.streams.push_back({HttpResponse{429, {{"retry-after", "4"}}, ""}});
  EXPECT_EQ(watch(kWatch).error().retry_after, seconds(4));
  http.streams.push_back({Error{ErrorKind::Unavailable, "refused"}});
  EXPECT_EQ(watch(kWatch).error().kind, ErrorKind::Unavailable);
  http.streams.push_back({Error{ErrorKind::Shutdown, "stop"}});
  EXPECT_EQ(watch(kWatch).error().kind, ErrorKind::Shutdown);
}

TEST_F(ApiClientTest, AQuietWatchThatLastedIsASuccess) {
  http.streams.push_back({HttpResponse{200}, {}, [&] { clock.advance(seconds(290)); }});
  EXPECT_TRUE(watch(kWatch));
}

TEST_F(ApiClientTest, AWatchClosedAtOnceWithoutAWordIsUnavailable) {
  http.streams.push_back({HttpResponse{200}});
  EXPECT_EQ(watch(kWatch).error().kind, ErrorKind::Unavailable);
}

TEST_F(ApiClientTest, ALineBeyondTheLimitEndsTheWatch) {
  http.streams.push_back(
      {HttpResponse{200}, std::vector<std::string>(5, std::string(1U << 20U, 'x'))});
  const auto how = watch(kWatch);
  ASSERT_FALSE(how);
  EXPECT_EQ(how.error().kind, ErrorKind::Parse);
  EXPECT_NE(how.error().message.find("exceeds"), std::string::npos);
}

}  // namespace
}  // namespace weir
