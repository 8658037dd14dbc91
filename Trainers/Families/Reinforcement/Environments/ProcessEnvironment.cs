using System.Text.Json.Nodes;
using MLExtensions.Families.Reinforcement;

namespace MLExtensions;

/// <summary>
/// An environment in another process, such as a Gymnasium environment in Python or an emulator. Both sides write lines of JSON.
/// </summary>
/// <remarks>
/// <para>The child reads requests from its standard input, one per line, and answers each with one line on its standard output:</para>
/// <list type="bullet">
/// <item><description><c>{"command":"describe"}</c>: <c>{"name":"CartPole-v1","observation_space":{"shape":[4],"low":[...],"high":[...]},"action_space":{"n":2}}</c>.
/// Bounds are a number for all or one for each, null where there is none. A discrete space is <c>{"n":16,"start":0}</c>; start may be left
/// out.</description></item>
/// <item><description><c>{"command":"reset","seed":5}</c>, seed null for none: <c>{"observation":[...]}</c>, and <c>"action_mask":[true,false]</c> if
/// there is one. A numbered state is a number. Pixels may be a text instead, the base64 of one byte for each value.</description></item>
/// <item><description><c>{"command":"step","action":1}</c>: <c>{"observation":[...],"reward":1.0,"terminated":false,"truncated":false}</c>, and the
/// mask.</description></item>
/// <item><description><c>{"command":"close"}</c>: no answer; the child ends.</description></item>
/// <item><description>Any answer may be <c>{"error":"what went wrong"}</c>.</description></item>
/// </list>
/// <para>
/// What the child writes to its standard error is ignored, but the end of it is in the message if the child dies. Everything the child says
/// is checked. After an error the child is ended, and the environment cannot be used anymore.
/// </para>
/// </remarks>
public sealed class ProcessEnvironment : IEnvironment
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(60);

    private readonly ChildLines _child;
    private readonly CheckedEnvironment _checked;
    private bool _isBroken;

    /// <summary>Starts a process and asks it for its spaces.</summary>
    /// <param name="fileName">The program, such as <c>python3</c>.</param>
    /// <param name="arguments">Its arguments, such as the script and the name of the environment.</param>
    /// <param name="timeout">How long an answer may take; the first one, for which the program starts, at least 60 seconds. Default null: 60 seconds.</param>
    /// <exception cref="ArgumentException">The name is empty, or the timeout is not above 0.</exception>
    /// <exception cref="IOException">The process could not be started, or has ended; the message has its last words.</exception>
    /// <exception cref="TimeoutException">There is no answer.</exception>
    /// <exception cref="FormatException">The answer is not what it must be.</exception>
    public ProcessEnvironment(string fileName, IEnumerable<string>? arguments = null, TimeSpan? timeout = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(fileName);
        if (timeout is { } limit && (limit <= TimeSpan.Zero || limit.TotalMilliseconds > int.MaxValue))
            throw new ArgumentOutOfRangeException(nameof(timeout), timeout, "It must be above 0 and at most 24 days.");
        _child = new ChildLines(fileName, arguments ?? [], timeout ?? DefaultTimeout);
        try
        {
            var answer = _child.Ask("describe", new JsonObject(), timeout > DefaultTimeout ? timeout : DefaultTimeout);
            Name = answer.Text("name");
            ObservationSpace = answer.Space("observation_space");
            ActionSpace = answer.Space("action_space") as DiscreteSpace ?? throw answer.Wrong("action_space", "a discrete space, such as {\"n\":2}");
            _checked = new CheckedEnvironment(new Player(this));
        }
        catch
        {
            _child.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public Space ObservationSpace { get; }

    /// <inheritdoc/>
    public DiscreteSpace ActionSpace { get; }

    /// <inheritdoc/>
    /// <exception cref="IOException">The process has ended; the message has its last words.</exception>
    /// <exception cref="TimeoutException">There is no answer.</exception>
    /// <exception cref="FormatException">The answer is not what it must be, or is not in the observation space.</exception>
    /// <exception cref="InvalidOperationException">The process says that something went wrong, or there was an error before.</exception>
    public EnvironmentState Reset(int? seed = null) => Guard(() => _checked.Reset(seed));

    /// <inheritdoc/>
    /// <exception cref="IOException">The process has ended; the message has its last words.</exception>
    /// <exception cref="TimeoutException">There is no answer.</exception>
    /// <exception cref="FormatException">The answer is not what it must be, or is not in the observation space.</exception>
    public EnvironmentStep Step(int action) => Guard(() => _checked.Step(action));

    /// <summary>Asks the process to end, and ends it if it does not.</summary>
    public void Dispose() => _child.Dispose();

    private T Guard<T>(Func<T> use)
    {
        if (_isBroken)
            throw new InvalidOperationException($"The environment {Name} of {_child.Name} cannot be used anymore: there was an error before.");
        try
        {
            return use();
        }
        catch (Exception e) when (e is IOException or TimeoutException or FormatException or ChildFailedException)
        {
            _isBroken = true;
            _child.End();
            throw e is ChildFailedException ? new InvalidOperationException(e.Message, e) : e;
        }
    }

    /// <summary>Plays without checks.</summary>
    private sealed class Player(ProcessEnvironment owner) : IEnvironment
    {
        public string Name => owner.Name;

        public Space ObservationSpace => owner.ObservationSpace;

        public DiscreteSpace ActionSpace => owner.ActionSpace;

        public EnvironmentState Reset(int? seed = null)
        {
            var answer = owner._child.Ask("reset", new JsonObject { ["seed"] = seed });
            return new EnvironmentState(answer.Floats("observation"), answer.Mask());
        }

        public EnvironmentStep Step(int action)
        {
            var answer = owner._child.Ask("step", new JsonObject { ["action"] = action });
            return new EnvironmentStep(answer.Floats("observation"), answer.Number("reward"), answer.Flag("terminated"), answer.Flag("truncated"), answer.Mask());
        }

        public void Dispose()
        {
        }
    }
}
