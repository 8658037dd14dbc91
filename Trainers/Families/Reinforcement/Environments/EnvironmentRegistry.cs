using System.Collections.Concurrent;

namespace MLExtensions;

/// <summary>The environments by name, as Gymnasium names them, with its time limits.</summary>
public static class EnvironmentRegistry
{
    private static readonly ConcurrentDictionary<string, Func<IEnvironment>> Registered = new(StringComparer.Ordinal)
    {
        ["CartPole-v1"] = () => new TimeLimit(new CartPoleEnvironment(), 500),
        ["MountainCar-v0"] = () => new TimeLimit(new MountainCarEnvironment(), 200),
        ["Acrobot-v1"] = () => new TimeLimit(new AcrobotEnvironment(), 500),
        ["FrozenLake-v1"] = () => new TimeLimit(new FrozenLakeEnvironment(), 100),
        ["FrozenLake8x8-v1"] = () => new TimeLimit(new FrozenLakeEnvironment(FrozenLakeEnvironment.Map8x8), 200),
        ["Taxi-v3"] = () => new TimeLimit(new TaxiEnvironment(), 200),
        ["CliffWalking-v1"] = () => new CliffWalkingEnvironment(),
        ["CliffWalkingSlippery-v1"] = () => new CliffWalkingEnvironment(isSlippery: true),
        ["Blackjack-v1"] = () => new BlackjackEnvironment(),
        ["Catch-v0"] = () => new CatchEnvironment(),
        ["MinAtar/Breakout-v1"] = () => new BreakoutEnvironment(),
        ["MinAtar/Freeway-v1"] = () => new TimeLimit(new FreewayEnvironment(), 2500),
        ["MinAtar/SpaceInvaders-v1"] = () => new SpaceInvadersEnvironment(),
    };

    /// <summary>The names that <see cref="Make"/> knows, sorted.</summary>
    public static IReadOnlyList<string> Names => [.. Registered.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Makes a new environment.</summary>
    /// <param name="name">One of <see cref="Names"/>, such as <c>CartPole-v1</c>.</param>
    /// <exception cref="ArgumentException">There is no such environment; the message lists those that there are.</exception>
    public static IEnvironment Make(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!Registered.TryGetValue(name, out var create))
            throw new ArgumentException($"There is no environment '{name}'; there are {string.Join(", ", Names)}. {nameof(EnvironmentRegistry)}.{nameof(Register)} adds one.", nameof(name));
        return create() ?? throw new InvalidOperationException($"What was registered as '{name}' made no environment.");
    }

    /// <summary>Adds an environment for the whole process, or replaces one.</summary>
    /// <param name="name">The name.</param>
    /// <param name="create">Makes a new environment each time.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static void Register(string name, Func<IEnvironment> create)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(create);
        Registered[name] = create;
    }
}
