namespace MLExtensions;

/// <summary>
/// Base class of what goes around an environment and changes something about it. As it is, it changes nothing. Disposing it disposes the
/// environment inside.
/// </summary>
public abstract class EnvironmentWrapper : IRenderableEnvironment, ICheckpointableEnvironment
{
    /// <summary>Wraps an environment.</summary>
    /// <param name="inner">The environment inside.</param>
    protected EnvironmentWrapper(IEnvironment inner)
    {
        ArgumentNullException.ThrowIfNull(inner);
        Inner = inner;
    }

    /// <summary>The environment inside.</summary>
    public IEnvironment Inner { get; }

    /// <summary>The environment inside of all wrappers.</summary>
    internal static IEnvironment InnermostOf(IEnvironment environment)
    {
        while (environment is EnvironmentWrapper wrapper)
            environment = wrapper.Inner;
        return environment;
    }

    /// <inheritdoc/>
    public virtual string Name => Inner.Name;

    /// <inheritdoc/>
    public virtual Space ObservationSpace => Inner.ObservationSpace;

    /// <inheritdoc/>
    public virtual DiscreteSpace ActionSpace => Inner.ActionSpace;

    /// <summary>Whether the environment inside can be looked at.</summary>
    public bool CanRender => Inner is IRenderableEnvironment { CanRender: true };

    /// <summary>Whether the state of the environment inside can be kept.</summary>
    public bool CanSaveState => Inner is ICheckpointableEnvironment { CanSaveState: true };

    /// <summary>Whether observations, actions and rewards are those of the environment inside, so that its model holds.</summary>
    internal virtual bool KeepsModel => false;

    /// <inheritdoc/>
    public virtual EnvironmentState Reset(int? seed = null) => Inner.Reset(seed);

    /// <inheritdoc/>
    public virtual EnvironmentStep Step(int action) => Inner.Step(action);

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">The environment inside cannot be looked at.</exception>
    public virtual RgbFrame Render() => Renderable.Render();

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">The environment inside cannot be looked at.</exception>
    public virtual string RenderText() => Renderable.RenderText();

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">The state of the environment inside cannot be kept.</exception>
    public byte[] SaveState()
    {
        var inner = Checkpointable.SaveState();
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(GetType().Name);
        writer.Write(inner.Length);
        writer.Write(inner);
        SaveCore(writer);
        writer.Flush();
        return stream.ToArray();
    }

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">The state of the environment inside cannot be kept.</exception>
    public void LoadState(ReadOnlySpan<byte> state) => EnvironmentStates.Load(state, GetType().Name, reader =>
    {
        var length = reader.ReadInt32();
        if (length < 0 || length > reader.BaseStream.Length)
            throw new FormatException(FormattableString.Invariant($"The state of {Name} is damaged."));
        Checkpointable.LoadState(reader.ReadBytes(length));
        LoadCore(reader);
    });

    /// <inheritdoc/>
    public void Dispose()
    {
        Inner.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Writes what the wrapper itself has to keep. Default: nothing.</summary>
    /// <param name="writer">Where to.</param>
    protected virtual void SaveCore(BinaryWriter writer)
    {
    }

    /// <summary>Reads what <see cref="SaveCore"/> wrote.</summary>
    /// <param name="reader">Where from.</param>
    protected virtual void LoadCore(BinaryReader reader)
    {
    }

    private IRenderableEnvironment Renderable => Inner as IRenderableEnvironment
        ?? throw new NotSupportedException($"{Inner.Name} cannot be looked at: it is no {nameof(IRenderableEnvironment)}.");

    private ICheckpointableEnvironment Checkpointable => Inner as ICheckpointableEnvironment
        ?? throw new NotSupportedException($"The state of {Inner.Name} cannot be kept: it is no {nameof(ICheckpointableEnvironment)}.");
}

/// <summary>Arrays in the states of environments, whose sizes are known.</summary>
internal static class StateArrays
{
    public static void Write(BinaryWriter writer, ReadOnlySpan<float> values)
    {
        ArgumentNullException.ThrowIfNull(writer);
        foreach (var value in values)
            writer.Write(value);
    }

    public static void Read(BinaryReader reader, Span<float> values)
    {
        ArgumentNullException.ThrowIfNull(reader);
        foreach (ref var value in values)
            value = reader.ReadSingle();
    }
}

/// <summary>Reads the states of environments.</summary>
internal static class EnvironmentStates
{
    /// <exception cref="FormatException">The state is of another kind, or damaged.</exception>
    public static void Load(ReadOnlySpan<byte> state, string kind, Action<BinaryReader> load)
    {
        using var reader = new BinaryReader(new MemoryStream(state.ToArray()));
        try
        {
            var found = reader.ReadString();
            if (found != kind)
                throw new FormatException($"The state is that of a {found}, not of a {kind}.");
            load(reader);
            if (reader.BaseStream.Position != reader.BaseStream.Length)
                throw new FormatException($"The state of a {kind} is too long.");
        }
        catch (Exception e) when (e is EndOfStreamException or IOException)
        {
            throw new FormatException($"The state of a {kind} is damaged: it is too short.", e);
        }
    }
}
