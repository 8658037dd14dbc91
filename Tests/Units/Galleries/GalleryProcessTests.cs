using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.VectorData;

namespace MLExtensions.Tests.Galleries;

/// <summary>
/// One file, two processes that add and remove and are killed, and a third that searches meanwhile: what was acknowledged is there, a call is there as
/// a whole or not at all, and nothing else is. <c>eng/gallery-kills</c> does it often, with a large gallery.
/// </summary>
[TestClass]
public sealed class GalleryProcessTests
{
    private const int Writers = 2;
    private const int Width = 16;
    private static readonly int Rounds = Setting("MLEXTENSIONS_GALLERY_KILLS", 1);
    private static readonly int Size = Setting("MLEXTENSIONS_GALLERY_SIZE", 300);

    [TestMethod]
    public async Task KilledWriters_LoseNothing()
    {
        using var sample = new GallerySample();
        var random = new Random(TestSeed.Of(1));
        var collection = sample.Open("model").GetCollection<int, Item>("items");
        await collection.EnsureCollectionExistsAsync();
        var state = Enumerable.Range(0, Size).ToDictionary(key => key, _ => -1);
        await collection.UpsertAsync(state.Keys.Select(key => Item.Of(key, -1)));
        var next = new int[Writers];
        var (searches, uncertain) = (0, 0);
        for (var round = 0; round < Rounds; round++)
        {
            var processes = Enumerable.Range(0, Writers).Select(writer => ChildProcess.Start(Write, [sample.Path, Text(writer), Text(next[writer]), Text(Size)])).ToArray();
            try
            {
                // Both write; one of them is then killed in the middle, and the other a little later.
                var lines = processes.Select(process => process.StandardOutput).ToArray();
                var acknowledged = new int[Writers];
                for (var writer = 0; writer < Writers; writer++)
                    acknowledged[writer] = Read(lines[writer]) ?? throw new InvalidOperationException(processes[writer].StandardError.ReadToEnd());
                foreach (var writer in random.Next(2) == 0 ? new[] { 0, 1 } : [1, 0])
                {
                    for (var i = random.Next(1, 10); i > 0; i--)
                    {
                        acknowledged[writer] = Read(lines[writer]) ?? throw new InvalidOperationException(processes[writer].StandardError.ReadToEnd());
                        var found = await collection.SearchAsync(Item.Of(i, -1).Vector, 3).ToListAsync();
                        searches += found.Count == 3 ? 1 : throw new InvalidOperationException("A search found too few.");
                    }
                    Thread.Sleep(random.Next(8));
                    processes[writer].Kill();
                    while (Read(lines[writer]) is { } more)
                        acknowledged[writer] = more;
                }
                foreach (var process in processes)
                    ChildProcess.WaitFor(process);
                var items = await collection.GetAsync(item => true, int.MaxValue, new() { IncludeVectors = true }).ToListAsync();
                foreach (var item in items)
                    CollectionAssert.AreEqual(Item.Of(item.Key, item.Operation).Vector, item.Vector, "a vector is damaged");
                for (var writer = 0; writer < Writers; writer++)
                {
                    for (; next[writer] <= acknowledged[writer]; next[writer]++)
                        Operation.Of(writer, next[writer], Size).Apply(state);
                    var mine = items.Where(item => item.Key % Writers == writer).ToDictionary(item => item.Key, item => item.Operation);
                    if (Same(mine, state, writer))
                        continue;
                    // The call that nobody heard of any more may have been written, as a whole.
                    Operation.Of(writer, next[writer]++, Size).Apply(state);
                    uncertain++;
                    Assert.IsTrue(Same(mine, state, writer), FormattableString.Invariant($"round {round}: the gallery of writer {writer} is not what was acknowledged ({next[writer] - 1} calls), nor with the call after it."));
                }
            }
            finally
            {
                foreach (var process in processes)
                {
                    if (!process.HasExited)
                        process.Kill();
                    process.Dispose();
                }
            }
        }
        Console.WriteLine(FormattableString.Invariant($"nothing lost in {Rounds}: {next.Sum()} calls of {Writers} processes on a gallery of {Size}, {searches} searches meanwhile; {uncertain} calls were written but not acknowledged; {state.Count} items are left."));
        Assert.AreEqual("ok", Integrity(sample.Path));
    }

    /// <summary>Many tasks and a second store on the same file: nobody gives up because the file is busy.</summary>
    [TestMethod]
    public async Task ManyWriters_WaitForEachOther()
    {
        using var sample = new GallerySample();
        var stores = new[] { sample.Open(), sample.Open() };
        await Task.WhenAll(stores.Select(store => store.GetCollection<int, Item>("items").EnsureCollectionExistsAsync()));
        await Task.WhenAll(Enumerable.Range(0, 12).Select(async task =>
        {
            var collection = stores[task % 2].GetCollection<int, Item>("items");
            for (var i = 0; i < 5; i++)
            {
                await collection.UpsertAsync(Item.Of((task * 5) + i, 0));
                Assert.IsNotEmpty(await collection.SearchAsync(Item.Of(1, 0).Vector, 2).ToListAsync());
            }
        }));
        Assert.HasCount(60, await stores[0].GetCollection<int, Item>("items").GetAsync(item => true, 100).ToListAsync());
    }

    /// <summary>Runs in a process of its own: adds and removes until it is killed, and says so each time.</summary>
    private static void Write(string[] args)
    {
        var (writer, first, size) = (int.Parse(args[1], CultureInfo.InvariantCulture), int.Parse(args[2], CultureInfo.InvariantCulture), int.Parse(args[3], CultureInfo.InvariantCulture));
        using var store = new SqliteGalleryStore(args[0], "model");
        var collection = store.GetCollection<int, Item>("items");
        for (var number = first; ; number++)
        {
            var operation = Operation.Of(writer, number, size);
            if (operation.IsDeletion)
                collection.DeleteAsync(operation.Keys).GetAwaiter().GetResult();
            else
                collection.UpsertAsync(operation.Keys.Select(key => Item.Of(key, number))).GetAwaiter().GetResult();
            Console.WriteLine(number);
            Console.Out.Flush();
        }
    }

    private static bool Same(Dictionary<int, int> items, Dictionary<int, int> state, int writer) =>
        items.Count == state.Keys.Count(key => key % Writers == writer) && items.All(item => state.TryGetValue(item.Key, out var operation) && operation == item.Value);

    private static int? Read(StreamReader reader) => int.TryParse(reader.ReadLine(), CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static int Setting(string name, int usual) => int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : usual;

    private static string Integrity(string path)
    {
        using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA integrity_check";
        return (string)command.ExecuteScalar()!;
    }

    /// <summary>One call: some keys of a writer's own are added or removed.</summary>
    private sealed record Operation(int Number, bool IsDeletion, int[] Keys)
    {
        public static Operation Of(int writer, int number, int size)
        {
            var random = new Random((number * Writers) + writer);
            var isDeletion = random.Next(3) == 0;
            var keys = Enumerable.Range(0, random.Next(1, 20)).Select(_ => (random.Next(size) / Writers * Writers) + writer).Distinct().ToArray();
            return new Operation(number, isDeletion, keys);
        }

        public void Apply(Dictionary<int, int> state)
        {
            foreach (var key in Keys)
            {
                if (IsDeletion)
                    state.Remove(key);
                else
                    state[key] = Number;
            }
        }
    }

    private sealed class Item
    {
        [VectorStoreKey]
        public int Key { get; set; }

        [VectorStoreData]
        public int Operation { get; set; }

        [VectorStoreVector(Width)]
        public float[] Vector { get; set; } = [];

        public static Item Of(int key, int operation)
        {
            var random = new Random((key * 31) + operation);
            return new Item { Key = key, Operation = operation, Vector = Enumerable.Range(0, Width).Select(_ => random.NextSingle() - .5f).ToArray() };
        }
    }
}
