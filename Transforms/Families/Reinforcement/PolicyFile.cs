using System.Security.Cryptography;
using System.Text;
using Microsoft.ML;
using MLExtensions.Persistence;

namespace MLExtensions.Families.Reinforcement;

/// <summary>What a policy of numbered states is.</summary>
internal sealed record PolicyContent(PolicyKeys States, PolicyKeys Actions, double[] Values)
{
    public TransitionTable? Model { get; init; }

    public double? OptimalReturn { get; init; }

    public TrainingHistory? History { get; init; }
}

/// <summary>Saves policies in a model's .zip: one entry with a checksum, whose lengths are checked before they are believed.</summary>
internal static class PolicyFile
{
    private const string Entry = "policy.bin";
    private const int FormatVersion = 1;
    private const int MaximumBytes = 1 << 30;
    private const int LargestCount = 1 << 24;
    private const int Others = 256; // versions and lengths
    private const int TransitionBytes = sizeof(int) + sizeof(double) + sizeof(double) + sizeof(bool);

    public static void Save(ModelSaveContext ctx, PolicyContent content)
    {
        var bytes = ToBytes(content);
        ctx.SaveNonEmptyString(Checksum(bytes));
        ctx.SaveBinaryStream(Entry, entry => entry.Write(bytes));
    }

    /// <exception cref="InvalidOperationException">The policy is larger than what can be loaded.</exception>
    internal static byte[] ToBytes(PolicyContent content)
    {
        var history = content.History?.ToJson() ?? [];
        if (SizeOf(content) + history.Length is var size && size > MaximumBytes)
            throw new InvalidOperationException(FormattableString.Invariant($"The policy of {content.States.Count} states and {content.Actions.Count} actions{(content.Model == null ? "" : FormattableString.Invariant($" and its table of {content.Model.All.Length} transitions"))} takes {size} bytes; files of policies have at most {MaximumBytes}, so it cannot be saved. Fewer states, or a network (Dqn), would do."));
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(FormatVersion);
        Write(writer, content.States);
        Write(writer, content.Actions);
        foreach (var value in content.Values)
            writer.Write(value);
        writer.Write(content.OptimalReturn ?? double.NaN);
        Write(writer, content.Model);
        writer.Write(history.Length);
        writer.Write(history);
        writer.Flush();
        return stream.ToArray();
    }

    /// <exception cref="ModelFormatException">The entry is missing or damaged.</exception>
    public static PolicyContent Load(ModelLoadContext ctx)
    {
        var checksum = ctx.LoadNonEmptyString();
        var bytes = ModelEntry.Read(ctx, Entry, MaximumBytes);
        if (Checksum(bytes) != checksum)
            throw new ModelFormatException(Entry, "is damaged: its checksum does not match the one in Model.key");
        return Parse(bytes);
    }

    /// <exception cref="ModelFormatException">It is no policy.</exception>
    internal static PolicyContent Parse(byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes));
        try
        {
            var content = Read(reader);
            return reader.BaseStream.Position == bytes.Length ? content : throw new FormatException("it is too long.");
        }
        catch (Exception e) when (e is IOException or FormatException or ArgumentException && e is not ModelFormatException)
        {
            throw new ModelFormatException(Entry, "is no policy: " + e.Message, e);
        }
    }

    private static PolicyContent Read(BinaryReader reader)
    {
        if (reader.ReadInt32() is var version && version != FormatVersion)
            throw new FormatException(FormattableString.Invariant($"its version is {version}; this library reads {FormatVersion}."));
        var (states, actions) = (ReadKeys(reader), ReadKeys(reader));
        var values = new double[Expect(reader, (long)states.Count * actions.Count, sizeof(double))];
        for (var i = 0; i < values.Length; i++)
            values[i] = reader.ReadDouble();
        var optimum = reader.ReadDouble();
        var model = ReadModel(reader, states.Count, actions.Count);
        var history = reader.ReadBytes(Expect(reader, reader.ReadInt32(), 1));
        return new PolicyContent(states, actions, values)
        {
            OptimalReturn = double.IsNaN(optimum) ? null : optimum,
            Model = model,
            History = history.Length == 0 ? null : TrainingHistoryJson.FromJson(history, Entry),
        };
    }

    /// <summary>The bytes of all but the history, at most.</summary>
    private static long SizeOf(PolicyContent content)
    {
        var pairs = (long)content.States.Count * content.Actions.Count;
        var names = ((IEnumerable<string>)[.. content.States.Names ?? [], .. content.Actions.Names ?? []]).Sum(name => (long)sizeof(int) + Encoding.UTF8.GetByteCount(name));
        return Others + names + (sizeof(double) * pairs) + (content.Model is not { } model ? 0 : ((long)sizeof(int) * model.First.Length) + ((long)TransitionBytes * model.All.Length) + ((long)sizeof(long) * model.Counts.Length) + ((long)(sizeof(int) + sizeof(double)) * model.InitialStates.Count));
    }

    private static void Write(BinaryWriter writer, PolicyKeys keys)
    {
        writer.Write(keys.Count);
        writer.Write(keys.Start != null);
        writer.Write(keys.Start ?? 0);
        writer.Write(keys.Names != null);
        foreach (var name in keys.Names ?? [])
            writer.Write(name);
    }

    private static PolicyKeys ReadKeys(BinaryReader reader)
    {
        var count = reader.ReadInt32();
        if (count is < 1 or > LargestCount)
            throw new FormatException(FormattableString.Invariant($"it has {count} states or actions."));
        var (hasStart, start) = (reader.ReadBoolean(), reader.ReadInt32());
        var names = reader.ReadBoolean() ? new string[Expect(reader, count, 1)] : null;
        for (var i = 0; i < names?.Length; i++)
            names[i] = reader.ReadString();
        return new PolicyKeys(count, names, hasStart ? start : null);
    }

    private static void Write(BinaryWriter writer, TransitionTable? model)
    {
        writer.Write(model?.StateCount ?? 0);
        if (model == null)
            return;
        writer.Write(model.ActionCount);
        foreach (var first in model.First)
            writer.Write(first);
        writer.Write(model.All.Length);
        foreach (var transition in model.All)
        {
            writer.Write(transition.NextState);
            writer.Write(transition.Probability);
            writer.Write(transition.Reward);
            writer.Write(transition.Terminated);
        }
        writer.Write(model.Counts.Length);
        foreach (var count in model.Counts)
            writer.Write(count);
        writer.Write(model.InitialStates.Count);
        foreach (var initial in model.InitialStates)
        {
            writer.Write(initial.State);
            writer.Write(initial.Probability);
        }
    }

    private static TransitionTable? ReadModel(BinaryReader reader, int policyStates, int policyActions)
    {
        // An environment can have more states than it shows.
        var states = reader.ReadInt32();
        if (states == 0)
            return null;
        var actions = reader.ReadInt32();
        if (states < policyStates || states > LargestCount || actions != policyActions)
            throw new FormatException(FormattableString.Invariant($"its table has {states} states and {actions} actions."));
        var first = new int[Expect(reader, ((long)states * actions) + 1, sizeof(int))];
        for (var i = 0; i < first.Length; i++)
            first[i] = reader.ReadInt32();
        var all = new StateTransition[Expect(reader, reader.ReadInt32(), sizeof(int))];
        if (first[0] != 0 || first[^1] != all.Length || first.AsSpan(1).ToArray().Zip(first).Any(pair => pair.First < pair.Second))
            throw new FormatException("the places of its transitions are not in order.");
        for (var i = 0; i < all.Length; i++)
            all[i] = new StateTransition(Place(reader, states), reader.ReadDouble(), reader.ReadDouble(), reader.ReadBoolean());
        var counts = new long[Expect(reader, reader.ReadInt32(), sizeof(long))];
        if (counts.Length != 0 && counts.Length != first.Length - 1)
            throw new FormatException(FormattableString.Invariant($"it has {counts.Length} counts."));
        for (var i = 0; i < counts.Length; i++)
            counts[i] = reader.ReadInt64();
        var initial = new StateProbability[Expect(reader, reader.ReadInt32(), sizeof(int))];
        for (var i = 0; i < initial.Length; i++)
            initial[i] = new StateProbability(Place(reader, states), reader.ReadDouble());
        return new TransitionTable(states, actions, first, all, counts, initial);
    }

    private static int Place(BinaryReader reader, int states) => reader.ReadInt32() is var state && state >= 0 && state < states
        ? state
        : throw new FormatException(FormattableString.Invariant($"it has no state {state}."));

    private static int Expect(BinaryReader reader, long count, int bytes) => count >= 0 && count * bytes <= reader.BaseStream.Length - reader.BaseStream.Position
        ? (int)count
        : throw new FormatException(FormattableString.Invariant($"{count} values are to follow, but the entry ends."));

    private static string Checksum(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
