using Microsoft.ML;
using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Reinforcement;

/// <summary>Policies that an earlier run saved.</summary>
internal static class SavedPolicy
{
    public static ExampleOption Option { get; } = new("policy", "FILE", "A saved policy, such as policy.zip of an earlier run. Nothing is trained for it then.");

    /// <summary>Loads a deep Q-network that suits a game.</summary>
    /// <exception cref="UsageException">The file is missing, no deep Q-network, or one of another game.</exception>
    public static DqnTransformer Load(MLContext mlContext, string path, IEnvironment game)
    {
        if (!File.Exists(path))
            throw new UsageException($"--{Option.Name}: there is no file '{path}'.");
        if (ModelFile.Load(mlContext, path) is not DqnTransformer policy)
            throw new UsageException($"--{Option.Name}: '{path}' is not a deep Q-network.");
        if (policy.Architecture.InputCount == game.ObservationSpace.Size && policy.ActionCount == game.ActionSpace.Count)
            return policy;
        var found = $"{policy.Architecture.InputCount} values and {policy.ActionCount} actions";
        policy.Dispose();
        throw new UsageException($"--{Option.Name}: '{path}' is a policy of states of {found}; {game.Name} has {game.ObservationSpace.Size} and {game.ActionSpace.Count}.");
    }
}
