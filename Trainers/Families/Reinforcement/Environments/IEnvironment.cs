using MLExtensions.Messages;

namespace MLExtensions;

/// <summary>
/// What an agent acts in, with Gymnasium's conventions: it shows an observation, takes an action, and gives a reward. Episodes begin with
/// <see cref="Reset"/>. Environments are used by one thread at a time.
/// </summary>
public interface IEnvironment : IDisposable
{
    /// <summary>The name, such as <c>CartPole-v1</c>.</summary>
    string Name { get; }

    /// <summary>What observations can be.</summary>
    Space ObservationSpace { get; }

    /// <summary>What actions can be.</summary>
    DiscreteSpace ActionSpace { get; }

    /// <summary>Begins an episode. The one before needs not be over.</summary>
    /// <param name="seed">
    /// The seed of all random numbers from here on: the same seed and the same actions give the same episodes. Null: the random numbers go
    /// on as they are; they are those of seed 0 if there never was a seed.
    /// </param>
    /// <returns>The first observation.</returns>
    EnvironmentState Reset(int? seed = null);

    /// <summary>Acts once.</summary>
    /// <param name="action">The action, in <see cref="ActionSpace"/>.</param>
    /// <returns>What came of it. After the end of an episode <see cref="Reset"/> comes next.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such action.</exception>
    /// <exception cref="InvalidOperationException">The episode is over or has not begun.</exception>
    EnvironmentStep Step(int action);
}

/// <summary>The beginning of an episode.</summary>
/// <param name="Observation">
/// The observation, flattened row by row; of a discrete space one value. The memory is valid until the next call of the environment.
/// </param>
/// <param name="ActionMask">
/// Which actions are allowed, in the order of the action space; empty if all are. The memory is valid until the next call of the environment.
/// </param>
public readonly record struct EnvironmentState(ReadOnlyMemory<float> Observation, ReadOnlyMemory<bool> ActionMask = default);

/// <summary>What came of an action.</summary>
/// <param name="Observation">
/// The observation after it, of the last step of an episode too, flattened row by row; of a discrete space one value. The memory is valid
/// until the next call of the environment.
/// </param>
/// <param name="Reward">The reward of this step.</param>
/// <param name="Terminated">Whether the episode has come to its end: there is no future, so no reward comes after.</param>
/// <param name="Truncated">Whether the episode was cut off, as by a time limit: there would be a future, which counts in learning.</param>
/// <param name="ActionMask">
/// Which actions are allowed next, in the order of the action space; empty if all are. The memory is valid until the next call of the
/// environment.
/// </param>
public readonly record struct EnvironmentStep(ReadOnlyMemory<float> Observation, double Reward, bool Terminated, bool Truncated, ReadOnlyMemory<bool> ActionMask = default)
{
    /// <summary>Whether the episode is over, one way or the other.</summary>
    public bool IsEnd => Terminated || Truncated;

    /// <summary>Returns the values as text.</summary>
    public override string ToString() => RecordText.Of(nameof(EnvironmentStep), PrintMembers);
}

/// <summary>An environment that can be looked at.</summary>
public interface IRenderableEnvironment : IEnvironment
{
    /// <summary>Whether it can be looked at. False of a wrapper whose environment cannot.</summary>
    bool CanRender => true;

    /// <summary>Draws the environment as it is now.</summary>
    RgbFrame Render();

    /// <summary>Shows the environment as it is now in lines of text.</summary>
    string RenderText();
}

/// <summary>An environment whose state can be kept, so that an interrupted training goes on bitwise as if it had not been.</summary>
public interface ICheckpointableEnvironment : IEnvironment
{
    /// <summary>Whether the state can be kept. False of a wrapper whose environment's cannot.</summary>
    bool CanSaveState => true;

    /// <summary>All that what comes next depends on, the state of the random numbers and of the episode included.</summary>
    byte[] SaveState();

    /// <summary>Puts back a state of an environment of the same kind and the same options.</summary>
    /// <param name="state">What <see cref="SaveState"/> returned.</param>
    /// <exception cref="FormatException">The state is of another kind of environment, or damaged.</exception>
    void LoadState(ReadOnlySpan<byte> state);
}

/// <summary>An environment of numbered states that knows how probable everything in it is, so that its optimum can be computed.</summary>
public interface IKnownModelEnvironment : IEnvironment
{
    /// <summary>The number of states; they are numbered from 0.</summary>
    int StateCount { get; }

    /// <summary>
    /// What is seen of a state. Usually the state itself; states beyond the observation space are seen as one of those in it, and what is best
    /// there must be best here.
    /// </summary>
    /// <param name="state">The state, from 0.</param>
    int Observed(int state) => state;

    /// <summary>The states that episodes begin in, with their probabilities, which add up to 1.</summary>
    IReadOnlyList<StateProbability> InitialStates { get; }

    /// <summary>What can come of an action in a state. Probabilities add up to 1; there are none where the action is not allowed.</summary>
    /// <param name="state">The state, from 0.</param>
    /// <param name="action">The action, in <see cref="IEnvironment.ActionSpace"/>.</param>
    IReadOnlyList<StateTransition> Transitions(int state, int action);
}

/// <summary>A picture: three bytes per pixel, red, green and blue, row by row from the top left.</summary>
public sealed class RgbFrame
{
    private readonly byte[] _pixels;

    /// <summary>Creates a picture.</summary>
    /// <param name="width">The width in pixels.</param>
    /// <param name="height">The height in pixels.</param>
    /// <param name="pixels">Three bytes per pixel. The picture keeps the array.</param>
    /// <exception cref="ArgumentException">A size is below 1, or there are too few or too many bytes.</exception>
    public RgbFrame(int width, int height, byte[] pixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentNullException.ThrowIfNull(pixels);
        if (pixels.Length != 3L * width * height)
            throw new ArgumentException(FormattableString.Invariant($"There are {pixels.Length} bytes; {width} x {height} pixels have {3L * width * height}."), nameof(pixels));
        Width = width;
        Height = height;
        _pixels = pixels;
    }

    /// <summary>The width in pixels.</summary>
    public int Width { get; }

    /// <summary>The height in pixels.</summary>
    public int Height { get; }

    /// <summary>Three bytes per pixel, red, green and blue, row by row from the top left.</summary>
    public ReadOnlyMemory<byte> Pixels => _pixels;
}
