namespace MLExtensions;

/// <summary>Chooses actions: what the transformers of reinforcement learning do, and what a rule of your own can do.</summary>
public interface IPolicy
{
    /// <summary>Chooses an action.</summary>
    /// <param name="observation">The observation, flattened row by row; of numbered states one value.</param>
    /// <param name="actionMask">Which actions are allowed, in the order of the action space; empty if all are.</param>
    /// <param name="random">Where a policy that draws its actions takes its random numbers from.</param>
    /// <returns>The action.</returns>
    /// <exception cref="ArgumentException">The observation or the mask has the wrong size, or no action is allowed.</exception>
    int Act(ReadOnlySpan<float> observation, ReadOnlySpan<bool> actionMask, Random random);
}
