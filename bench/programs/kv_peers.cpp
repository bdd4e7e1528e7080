// SPDX-License-Identifier: PostgreSQL
//
// What other stores give for the calls that the KV has: NATS' key-value buckets on JetStream, Redis' strings.
//
//   kv_peers nats URL  put|get CLIENTS SECONDS KEYS BYTES
//   kv_peers redis SOCKET  put|get CLIENTS SECONDS KEYS BYTES
//
// Each client is a thread with a connection of its own, which waits for each answer before its next call, on one of
// KEYS keys at random. Every key is there before. Prints the calls in a second.
#include <hiredis/hiredis.h>
#include <nats/nats.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

[[noreturn]] void die(char const *what, char const *why) {
    std::fprintf(stderr, "kv_peers: %s: %s\n", what, why);
    std::_Exit(1);
}

// One client's connection.
struct store {
    virtual ~store() = default;
    virtual void put(std::string const &key, std::string const &value) = 0;
    virtual void get(std::string const &key) = 0;
};

void checked(natsStatus status, char const *what) {
    if (status != NATS_OK)
        die(what, natsStatus_GetText(status));
}

class nats final : public store {
public:
    explicit nats(std::string const &url) {
        checked(natsConnection_ConnectTo(&connection_, url.c_str()), "connect");
        checked(natsConnection_JetStream(&stream_, connection_, nullptr), "JetStream");
        if (js_KeyValue(&bucket_, stream_, "bench") == NATS_OK)
            return;
        kvConfig config;
        kvConfig_Init(&config);
        config.Bucket = "bench";
        config.History = 1;
        config.StorageType = js_FileStorage;
        checked(js_CreateKeyValue(&bucket_, stream_, &config), "create the bucket");
    }
    ~nats() override {
        kvStore_Destroy(bucket_);
        jsCtx_Destroy(stream_);
        natsConnection_Destroy(connection_);
    }
    void put(std::string const &key, std::string const &value) override {
        uint64_t revision;
        checked(kvStore_Put(&revision, bucket_, key.c_str(), value.data(), static_cast<int>(value.size())), "put");
    }
    void get(std::string const &key) override {
        kvEntry *entry;
        checked(kvStore_Get(&entry, bucket_, key.c_str()), "get");
        kvEntry_Destroy(entry);
    }

private:
    natsConnection *connection_ = nullptr;
    jsCtx *stream_ = nullptr;
    kvStore *bucket_ = nullptr;
};

class redis final : public store {
    struct freed {
        void operator()(redisContext *c) const { redisFree(c); }
        void operator()(redisReply *r) const { freeReplyObject(r); }
    };
    using reply = std::unique_ptr<redisReply, freed>;

    reply call(std::vector<std::string_view> const &words) {
        std::vector<char const *> text;
        std::vector<std::size_t> size;
        for (std::string_view word : words) {
            text.push_back(word.data());
            size.push_back(word.size());
        }
        reply r(static_cast<redisReply *>(
            redisCommandArgv(context_.get(), static_cast<int>(words.size()), text.data(), size.data())));
        if (!r)
            die("redis", context_->errstr);
        if (r->type == REDIS_REPLY_ERROR)
            die("redis", r->str);
        return r;
    }

    std::unique_ptr<redisContext, freed> context_;

public:
    explicit redis(std::string const &socket) : context_(redisConnectUnix(socket.c_str())) {
        if (!context_ || context_->err != 0)
            die("connect", context_ ? context_->errstr : "no memory");
    }
    void put(std::string const &key, std::string const &value) override { call({"SET", key, value}); }
    void get(std::string const &key) override { call({"GET", key}); }
};

std::unique_ptr<store> connect(std::string const &which, std::string const &where) {
    if (which == "nats")
        return std::make_unique<nats>(where);
    if (which == "redis")
        return std::make_unique<redis>(where);
    die(which.c_str(), "nats or redis");
}

std::string key_of(std::size_t n) { return "key-" + std::to_string(n); }

} // namespace

int main(int argc, char **argv) {
    if (argc != 8)
        die("arguments", "nats|redis WHERE put|get CLIENTS SECONDS KEYS BYTES");
    std::string const which = argv[1], where = argv[2], call = argv[3];
    std::size_t const clients = std::strtoul(argv[4], nullptr, 10), keys = std::strtoul(argv[6], nullptr, 10);
    std::chrono::seconds const time(std::strtol(argv[5], nullptr, 10));
    std::size_t const bytes = std::strtoul(argv[7], nullptr, 10);

    std::vector<std::unique_ptr<store>> stores;
    for (std::size_t i = 0; i < clients; i++)
        stores.push_back(connect(which, where));
    for (std::size_t n = 0; n < keys; n++)
        stores[0]->put(key_of(n), std::string(bytes, 'x'));

    std::atomic<std::size_t> done = 0;
    std::vector<std::thread> threads;
    auto const begin = std::chrono::steady_clock::now(), end = begin + time;
    for (std::size_t i = 0; i < clients; i++) {
        threads.emplace_back([&, i] {
            std::minstd_rand random(static_cast<unsigned>(i + 1));
            std::uniform_int_distribution<std::size_t> any(0, keys - 1);
            std::string value(bytes, 'a');
            for (std::size_t n = 0; std::chrono::steady_clock::now() < end; n++) {
                std::string const key = key_of(any(random));
                value.replace(0, 8, std::to_string(10000000 + n % 90000000));
                if (call == "put")
                    stores[i]->put(key, value);
                else
                    stores[i]->get(key);
                done++;
            }
        });
    }
    for (std::thread &t : threads)
        t.join();
    std::chrono::duration<double> const took = std::chrono::steady_clock::now() - begin;
    std::printf("%.1f\n", static_cast<double>(done) / took.count());
}
